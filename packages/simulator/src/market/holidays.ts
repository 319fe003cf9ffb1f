import { type Day, dayOf, easter, nthWeekday, weekday, yearOf } from './days.ts'

/** What a venue does on a date: nothing, or close early; a date in no set is a full day. */
export interface Holidays {
  readonly closed: ReadonlySet<Day>
  readonly early: ReadonlySet<Day>
  /** Days next to holidays, where they close at another time than `early` ones. */
  readonly eve: ReadonlySet<Day>
}

type Rule = (year: number) => { closed: Day[]; early?: Day[]; eve?: Day[] }

const SUNDAY = 0
const MONDAY = 1
const THURSDAY = 4
const FRIDAY = 5
const SATURDAY = 6

/** US practice: a Saturday's holiday is kept on Friday, a Sunday's on Monday. */
function observed(day: Day): Day {
  return weekday(day) === SATURDAY ? day - 1 : weekday(day) === SUNDAY ? day + 1 : day
}

/** British and Japanese practice: the next day that is none yet. */
function deferred(day: Day, taken: readonly Day[]): Day {
  let to = day
  while (weekday(to) === SUNDAY || weekday(to) === SATURDAY || taken.includes(to)) to++
  return to
}

/** Closures of US equities that no rule gives: attacks, storms, days of mourning. */
// biome-ignore format: a table
const US_SPECIAL = [
  [2001, 9, 11], [2001, 9, 12], [2001, 9, 13], [2001, 9, 14], [2004, 6, 11], [2007, 1, 2],
  [2012, 10, 29], [2012, 10, 30], [2018, 12, 5], [2025, 1, 9],
].map(([y = 0, m = 0, d = 0]) => dayOf(y, m, d))

/** NYSE Rule 7.2 and its yearly notices. New Year's Day on a Saturday is not kept. */
const usEquities: Rule = (year) => {
  const newYear = dayOf(year, 1, 1)
  const independence = dayOf(year, 7, 4)
  const christmas = dayOf(year, 12, 25)
  const thanksgiving = nthWeekday(year, 11, THURSDAY, 4)
  const closed = [
    ...(weekday(newYear) === SATURDAY ? [] : [observed(newYear)]),
    ...(year >= 1998 ? [nthWeekday(year, 1, MONDAY, 3)] : []),
    nthWeekday(year, 2, MONDAY, 3),
    easter(year) - 2,
    nthWeekday(year, 5, MONDAY, -1),
    ...(year >= 2022 ? [observed(dayOf(year, 6, 19))] : []),
    observed(independence),
    nthWeekday(year, 9, MONDAY, 1),
    thanksgiving,
    observed(christmas),
    ...US_SPECIAL.filter((day) => yearOf(day) === year),
  ]
  const eves = [independence - 1, christmas - 1].filter((day) => weekday(day) >= MONDAY && weekday(day) <= THURSDAY)
  return { closed, early: [thanksgiving + 1, ...eves].filter((day) => !closed.includes(day)) }
}

/**
 * Globex equity products: shut on three days, a halt at noon on the other US holidays, and an early close when stocks have
 * one, fifteen minutes later than on holidays. Source: CME's Globex holiday schedules, equity products (of 2024: noon on
 * 4 July and Thanksgiving, 12:15 on 3 July, 29 November and 24 December; until 2013 holidays ended at 10:30).
 */
const globex: Rule = (year) => {
  const closed = [observed(dayOf(year, 1, 1)), easter(year) - 2, observed(dayOf(year, 12, 25))]
  const us = usEquities(year)
  const open = (days: readonly Day[] = []) => days.filter((day) => !closed.includes(day))
  return { closed, early: open(us.closed), eve: open(us.early) }
}

const forex: Rule = (year) => ({ closed: [dayOf(year, 1, 1), dayOf(year, 12, 25)] })

const germany: Rule = (year) => ({
  closed: [
    dayOf(year, 1, 1),
    easter(year) - 2,
    easter(year) + 1,
    dayOf(year, 5, 1),
    ...[24, 25, 26, 31].map((d) => dayOf(year, 12, d)),
  ],
})

const london: Rule = (year) => {
  const christmas = deferred(dayOf(year, 12, 25), [])
  const boxing = deferred(dayOf(year, 12, 26), [christmas])
  return {
    closed: [
      deferred(dayOf(year, 1, 1), []),
      easter(year) - 2,
      easter(year) + 1,
      nthWeekday(year, 5, MONDAY, 1),
      nthWeekday(year, 5, MONDAY, -1),
      nthWeekday(year, 8, MONDAY, -1),
      christmas,
      boxing,
    ],
    early: [dayOf(year, 12, 24), dayOf(year, 12, 31)],
  }
}

/** The equinoxes are holidays in Japan; this fits their dates from 1980 to 2099. */
function equinox(year: number, month: 3 | 9): Day {
  const base = month === 3 ? 20.8431 : 23.2488
  return dayOf(year, month, Math.floor(base + 0.242194 * (year - 1980) - Math.floor((year - 1980) / 4)))
}

const tokyo: Rule = (year) => {
  // biome-ignore format: a table
  const named = [
    dayOf(year, 2, 11), ...(year >= 2020 ? [dayOf(year, 2, 23)] : []), equinox(year, 3), dayOf(year, 4, 29), dayOf(year, 5, 3),
    dayOf(year, 5, 4), dayOf(year, 5, 5), ...(year >= 2016 ? [dayOf(year, 8, 11)] : []), equinox(year, 9), dayOf(year, 11, 3), dayOf(year, 11, 23),
  ]
  const moved = named.filter((day) => weekday(day) === SUNDAY).map((day) => deferred(day, named))
  const mondays = [
    nthWeekday(year, 1, MONDAY, 2),
    nthWeekday(year, 7, MONDAY, 3),
    nthWeekday(year, 9, MONDAY, 3),
    nthWeekday(year, 10, MONDAY, 2),
  ]
  return {
    closed: [
      dayOf(year, 1, 1),
      dayOf(year, 1, 2),
      dayOf(year, 1, 3),
      dayOf(year, 12, 31),
      ...named,
      ...moved,
      ...mondays,
    ],
  }
}

const RULES = { usEquities, globex, forex, germany, london, tokyo, none: (() => ({ closed: [] })) as Rule }
export type HolidayRule = keyof typeof RULES

const known = new Map<string, Holidays>()

/** The holidays of a venue in a year, by rule. */
export function holidays(rule: HolidayRule, year: number): Holidays {
  const key = `${rule} ${year}`
  const found = known.get(key)
  if (found) return found
  const { closed, early = [], eve = [] } = RULES[rule](year)
  const made = { closed: new Set(closed), early: new Set(early), eve: new Set(eve) }
  known.set(key, made)
  return made
}

/** Monday to Friday. */
export function isWeekday(day: Day): boolean {
  return weekday(day) >= MONDAY && weekday(day) <= FRIDAY
}
