"""Asks a gateway on a local port for every kind of answer, with an unmodified ib_async, and says what passed."""

import asyncio
import datetime
import logging
import math
import sys
import traceback

from ib_async import IB, CFD, Bond, Commodity, ContFuture, Contract, Crypto, FuturesOption, Option
from ib_async import Forex, Future, Index, RequestError, Stock, util

PORT = int(sys.argv[1])
AAPL = Stock("AAPL", "SMART", "USD")
EUR = Forex("EURUSD")
UTC = datetime.timezone.utc
WAIT_SEC = 20

checks = []


def check(function):
    """Puts a coroutine on the list; its docstring says what it holds."""
    checks.append(function)
    return function


def same(seen, due):
    assert seen == due, f"got {seen!r}, expected {due!r}"


async def refused(awaitable, code, text):
    try:
        answer = await awaitable
    except RequestError as error:
        same(error.code, code)
        assert text in error.message, error.message
    else:
        raise AssertionError(f"got {answer!r}, expected error {code}")


@check
async def connects(ib):
    """connecting with its defaults: positions, orders, account updates and executions come to their end"""
    same(ib.managedAccounts(), ["SIM0000001"])
    same(ib.client.serverVersion(), 178)
    same([ib.positions(), ib.openTrades(), ib.fills(), ib.accountValues()], [[], [], [], []])


@check
async def default_requests(ib):
    """whatever else such a client asks of itself: account summary, all open orders, completed orders, executions"""
    same(await ib.accountSummaryAsync(), [])
    same(await ib.reqAllOpenOrdersAsync(), [])
    same(await ib.reqCompletedOrdersAsync(False), [])
    same(await ib.reqExecutionsAsync(), [])
    ib.reqAutoOpenOrders(True)
    ib.reqGlobalCancel()


@check
async def time(ib):
    """the time"""
    now = await ib.reqCurrentTimeAsync()
    same(now.date(), datetime.date(2026, 4, 8))


@check
async def details(ib):
    """contract details of a stock"""
    [found] = await ib.reqContractDetailsAsync(AAPL)
    same((found.contract.symbol, found.contract.primaryExchange), ("AAPL", "NASDAQ"))
    # Subscriptions of this client need contracts that know their id.
    await ib.qualifyContractsAsync(AAPL, EUR)
    assert found.contract.conId > 0 and found.minTick == 0.01, found
    same(found.timeZoneId, "US/Eastern")
    assert found.tradingHours.startswith("20260408:"), found.tradingHours
    assert any(one.tag == "ISIN" for one in found.secIdList), found.secIdList


@check
async def kinds(ib):
    """contract details of every kind of contract"""
    months = await ib.reqContractDetailsAsync(Future("ES", exchange="CME"))
    assert len(months) > 1 and all(one.contract.multiplier == "50" for one in months), months
    for contract in (
        EUR,
        Index("SPX", "CBOE", "USD"),
        Crypto("BTC", "PAXOS", "USD"),
        ContFuture("ES", "CME"),
        CFD("AAPL", "SMART", "USD"),
        Commodity("XAUUSD", "SMART", "USD"),
    ):
        found = await ib.reqContractDetailsAsync(contract)
        assert len(found) == 1 and found[0].contract.conId > 0, f"{contract}: {found}"
    # ib_async reads a coupon as a whole number, and loses bonds that have another.
    assert await ib.reqContractDetailsAsync(Contract(symbol="IBM", secType="BOND", exchange="SMART", currency="USD"))


@check
async def minutes(ib):
    """bars of a minute, formatDate 1 and 2"""
    ask = (AAPL, "20260407-20:00:00", "1 D", "1 min", "TRADES", True)
    plain = await ib.reqHistoricalDataAsync(*ask, formatDate=1)
    utc = await ib.reqHistoricalDataAsync(*ask, formatDate=2)
    same(len(plain), 390)
    same(utc[0].date, datetime.datetime(2026, 4, 7, 13, 30, tzinfo=UTC))
    same([bar.date.timestamp() for bar in plain], [bar.date.timestamp() for bar in utc])
    same([bar.close for bar in plain], [bar.close for bar in utc])
    assert all(bar.low <= bar.open <= bar.high and bar.volume > 0 for bar in plain)


@check
async def days(ib):
    """bars of a day, which carry dates whatever formatDate says"""
    for format_date in (1, 2):
        bars = await ib.reqHistoricalDataAsync(AAPL, "", "5 D", "1 day", "TRADES", True, formatDate=format_date)
        # Good Friday, the 3rd, is a holiday.
        same([bar.date for bar in bars], [datetime.date(2026, 4, day) for day in (1, 2, 6, 7, 8)])


@check
async def quotes(ib):
    """bars of bid, ask and midpoint, without volume"""
    bars = [
        await ib.reqHistoricalDataAsync(EUR, "20260408-17:00:00", "3600 S", "1 min", what, False, formatDate=2)
        for what in ("BID", "ASK", "MIDPOINT")
    ]
    same([len(one) for one in bars], [60, 60, 60])
    assert all(bid.close <= mid.close <= ask.close for bid, ask, mid in zip(*bars))
    same(bars[2][0].volume, -1)


@check
async def head(ib):
    """the head timestamp, formatDate 1 and 2"""
    for contract, format_date in ((AAPL, 1), (EUR, 2)):
        found = await ib.reqHeadTimeStampAsync(contract, "MIDPOINT", True, format_date)
        assert isinstance(found, datetime.datetime) and found.year < 2026, found


@check
async def schedule(ib):
    """the sessions"""
    found = await ib.reqHistoricalScheduleAsync(AAPL, 3, "20260408-23:00:00", True)
    same(found.timeZone, "US/Eastern")
    same([one.refDate for one in found.sessions], ["20260406", "20260407", "20260408"])
    same(found.sessions[0].startDateTime, "20260406-09:30:00")


@check
async def trades(ib):
    """historical ticks: trades"""
    ticks = await ib.reqHistoricalTicksAsync(AAPL, "20260407-14:00:00", "", 50, "TRADES", True)
    assert len(ticks) >= 50 and all(one.price > 0 and one.size > 0 for one in ticks), ticks[:3]
    assert ticks[0].time >= datetime.datetime(2026, 4, 7, 14, tzinfo=UTC), ticks[0]
    same([one.time for one in ticks], sorted(one.time for one in ticks))


@check
async def bids(ib):
    """historical ticks: bid and ask"""
    ticks = await ib.reqHistoricalTicksAsync(EUR, "", "20260407-14:00:00", 50, "BID_ASK", False)
    assert len(ticks) >= 50 and all(0 < one.priceBid <= one.priceAsk for one in ticks), (len(ticks), ticks[:3])
    assert ticks[-1].time < datetime.datetime(2026, 4, 7, 14, tzinfo=UTC), ticks[-1]


@check
async def midpoints(ib):
    """historical ticks: midpoints"""
    ticks = await ib.reqHistoricalTicksAsync(EUR, "20260407-14:00:00", "", 50, "MIDPOINT", False)
    assert len(ticks) >= 50 and all(one.price > 0 for one in ticks), ticks[:3]


@check
async def live_bars(ib):
    """live bars of five seconds"""
    bars = ib.reqRealTimeBars(EUR, 5, "MIDPOINT", False)
    await asyncio.wait_for(bars.updateEvent, 12)
    assert bars and bars[0].time.timestamp() % 5 == 0 and bars[0].close > 0, bars
    ib.cancelRealTimeBars(bars)


@check
async def kept_bars(ib):
    """bars kept up to date"""
    bars = await ib.reqHistoricalDataAsync(AAPL, "", "600 S", "1 min", "TRADES", True, keepUpToDate=True)
    before = len(bars)
    assert before >= 10, bars
    await asyncio.wait_for(bars.updateEvent, 12)
    assert len(bars) >= before and bars[-1].close > 0, bars
    ib.cancelHistoricalData(bars)


@check
async def tick_by_tick(ib):
    """ticks as they come"""
    ticker = ib.reqTickByTickData(AAPL, "BidAsk")
    await asyncio.wait_for(ticker.updateEvent, 12)
    assert ticker.tickByTicks and ticker.bid <= ticker.ask, ticker
    ib.cancelTickByTickData(AAPL, "BidAsk")


@check
async def market_data(ib):
    """quotes, and a snapshot of them"""
    ticker = ib.reqMktData(AAPL, "", False, False)
    await asyncio.wait_for(ticker.updateEvent, 12)
    for _ in range(100):
        if not math.isnan(ticker.bid) and not math.isnan(ticker.ask):
            break
        await asyncio.sleep(0.1)
    assert ticker.bid <= ticker.ask, ticker
    ib.cancelMktData(AAPL)
    [snapshot] = await asyncio.wait_for(ib.reqTickersAsync(EUR), 15)
    assert snapshot.bid <= snapshot.ask, snapshot


@check
async def chain(ib):
    """an option chain, and an option of it"""
    [stock] = await ib.reqContractDetailsAsync(AAPL)
    chains = await ib.reqSecDefOptParamsAsync("AAPL", "", "STK", stock.contract.conId)
    assert chains, "no chain"
    first = chains[0]
    assert first.expirations and first.strikes and first.multiplier == "100", first
    [listed] = [
        one
        for one in [
            await ib.reqContractDetailsAsync(Option("AAPL", expiry, strike, "C", "SMART", currency="USD"))
            for expiry in sorted(first.expirations)[:1]
            for strike in sorted(first.strikes)[len(first.strikes) // 2 :][:1]
        ]
    ]
    same(len(listed), 1)
    assert listed[0].contract.localSymbol.startswith("AAPL  "), listed


@check
async def search(ib):
    """a search"""
    found = await ib.reqMatchingSymbolsAsync("AAP")
    assert any(one.contract.symbol == "AAPL" for one in found), found


@check
async def histogram(ib):
    """a histogram"""
    found = await asyncio.wait_for(ib.reqHistogramDataAsync(AAPL, True, "1 day"), 10)
    assert found and all(one.count > 0 for one in found), found


@check
async def unknown_contract(ib):
    """error 200"""
    await refused(ib.reqContractDetailsAsync(Stock("NOSUCH", "SMART", "USD")), 200, "No security definition")
    await refused(
        ib.reqHistoricalDataAsync(Stock("NOSUCH", "SMART", "USD"), "", "1 D", "1 min", "TRADES", True), 200, "No security"
    )


@check
async def no_data(ib):
    """error 162: no data"""
    ask = ib.reqHistoricalDataAsync(AAPL, "19700101-00:00:00", "1 D", "1 min", "TRADES", True)
    await refused(ask, 162, "HMDS query returned no data: AAPL@SMART Trades")


@check
async def pacing(ib):
    """error 162: a pacing violation"""
    ask = (EUR, "20260407-14:00:00", "600 S", "5 secs", "BID", False)
    same(len(await ib.reqHistoricalDataAsync(*ask)), 120)
    await refused(ib.reqHistoricalDataAsync(*ask), 162, "pacing violation")


@check
async def reconnects(ib):
    """leaving, and coming back under the same id"""
    ib.disconnect()
    assert not ib.isConnected()
    for _ in range(50):
        try:
            await ib.connectAsync("127.0.0.1", PORT, clientId=7, raiseSyncErrors=True)
            break
        except Exception:
            await asyncio.sleep(0.1)
    same(ib.managedAccounts(), ["SIM0000001"])


async def main():
    logging.getLogger("ib_async").setLevel(logging.CRITICAL)
    ib = IB()
    ib.RaiseRequestErrors = True
    await ib.connectAsync("127.0.0.1", PORT, clientId=7, raiseSyncErrors=True)
    failed = 0
    for one in checks:
        try:
            await asyncio.wait_for(one(ib), WAIT_SEC)
            print(f"  passed  {one.__doc__}", flush=True)
        except Exception as error:
            failed += 1
            print(f"  FAILED  {one.__doc__}: {type(error).__name__} {error}", flush=True)
            if "--trace" in sys.argv:
                traceback.print_exc()
    ib.disconnect()
    print(f"{len(checks) - failed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


sys.exit(asyncio.run(main()))
