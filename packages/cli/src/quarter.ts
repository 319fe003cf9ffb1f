const MONTHS = [
  { code: 'H', month: 2 },
  { code: 'M', month: 5 },
  { code: 'U', month: 8 },
  { code: 'Z', month: 11 },
] as const
const DAY_SEC = 86_400
const FRIDAY = 5

/** The local symbol of the quarterly future of `root` that expires next: the day it expires on belongs to its follower. */
export function frontQuarter(root: string, nowSec: number): string {
  const today = Math.floor(nowSec / DAY_SEC) * DAY_SEC
  const thisYear = new Date(nowSec * 1000).getUTCFullYear()
  for (let year = thisYear; ; year++) {
    const next = MONTHS.find(({ month }) => today < thirdFriday(year, month))
    if (next) return `${root}${next.code}${year % 10}`
  }
}

/** 00:00 UTC of the day on which quarterly index futures expire, epoch seconds (CME, "Equity Index Contract Specs"). */
function thirdFriday(year: number, month: number): number {
  const first = new Date(Date.UTC(year, month, 1)).getUTCDay()
  return Date.UTC(year, month, 1 + ((FRIDAY - first + 7) % 7) + 14) / 1000
}
