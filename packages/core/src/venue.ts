/** Venues as IBKR names them, by what they trade, and the MIC of each where there is one (ISO 10383). */

export const FUTURES_VENUES: ReadonlySet<string> = new Set(
  'BELFOX CBOT CFE CME COMEX DTB EUREX HKFE ICEEU ICEEUSOFT IDEM IPE KCBT MEXDER MGE NYBOT NYMEX OSE.JPN SNFE SOFFEX VRTX'.split(
    ' ',
  ),
)

export const CRYPTO_VENUES: ReadonlySet<string> = new Set(['PAXOS', 'ZEROHASH'])

const MIC_OF: Readonly<Record<string, string>> = {
  NASDAQ: 'XNAS',
  NYSE: 'XNYS',
  ARCA: 'ARCX',
  AMEX: 'XASE',
  CME: 'XCME',
  CBOT: 'XCBT',
  NYMEX: 'XNYM',
  COMEX: 'XCEC',
  CBOE: 'XCBO',
  CFE: 'XCBF',
  IBIS: 'XETR',
  EUREX: 'XEUR',
  LSE: 'XLON',
  SBF: 'XPAR',
  AEB: 'XAMS',
  EBS: 'XSWX',
  TSEJ: 'XTKS',
  SEHK: 'XHKG',
  ASX: 'XASX',
}

const VENUE_OF: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(MIC_OF).map(([venue, mic]) => [mic, venue]),
)

/** IBKR's name of a venue given by either name: `XNAS` → `NASDAQ`; any other name is kept. */
export function venueName(text: string): string {
  return VENUE_OF[text] ?? text
}

/** The MIC of an IBKR venue: `NASDAQ` → `XNAS`; the venue's own name where it has none we know. */
export function micOf(venue: string): string {
  return MIC_OF[venue] ?? venue
}
