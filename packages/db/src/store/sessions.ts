import { type Hours, intersect, type KnownSessions, type Session, type Window } from '@tidegate/core'
import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { arrayOf, at, epoch, textsOf } from './sql.ts'

/** A calendar's sessions around a window, as far as IBKR was asked. */
export interface CalendarSessions extends KnownSessions {
  /** When IBKR was last asked for the sessions up to then, epoch seconds; undefined where it never was. */
  readonly askedAt: number | undefined
}

/** What an answer of IBKR's schedule says of a calendar. */
export interface ScheduleAnswer {
  readonly calendar: string
  readonly hours: Hours
  /** As IBKR names zones. */
  readonly zone: string
  /** In it there are no sessions but these. */
  readonly known: Window
  /** Ordered; the last may reach beyond what is known, while it is under way. */
  readonly sessions: readonly Session[]
  /** When it was asked, where it was asked for the sessions up to then; undefined otherwise. Epoch seconds. */
  readonly askedAt: number | undefined
}

/** IBKR's schedules, by calendar (`calendarOf` in core) and hours. */
export interface Sessions {
  /** The sessions that touch `[start, end)`, and what of that window is known and presumed; nothing of a calendar never asked for. */
  sessions(calendar: string, hours: Hours, window: Window): Promise<CalendarSessions>
  /** Stores what an answer proves: sessions it no longer has are removed, what it knows is known from now on. One statement. */
  putSessions(answer: ScheduleAnswer): Promise<void>
}

interface Row {
  readonly askedAt: number | null
  readonly knownEnd: number | null
  readonly known: readonly (readonly [number, number])[]
  readonly sessions: readonly (readonly [date: string, start: number, end: number, offsetSec: number])[]
}

export function sessionsIn(database: Database): Sessions {
  return {
    async sessions(calendar, hours, window) {
      const [row] = await database.rows<Row>(sql`
        select nullif(${epoch(sql`c.asked_at`)}, 0) as "askedAt", ${epoch(sql`upper(c.known)`)} as "knownEnd",
          coalesce((select jsonb_agg(jsonb_build_array(extract(epoch from lower(k)), extract(epoch from upper(k))) order by k)
            from unnest(c.known * tstzmultirange(tstzrange(${at(window.start)}, ${at(window.end)}))) k), '[]') as known,
          coalesce((select jsonb_agg(jsonb_build_array(x.date, extract(epoch from x.opens), extract(epoch from x.closes), x.offset_sec) order by x.opens)
            from sessions x where x.calendar = c.calendar and x.hours = c.hours
              and x.opens < ${at(window.end)} and x.closes > ${at(window.start)}), '[]') as sessions
        from calendars c where c.calendar = ${calendar} and c.hours = ${hours}`)
      if (!row) return { known: [], presumed: undefined, sessions: [], askedAt: undefined }
      const { askedAt, knownEnd } = row
      const since =
        askedAt !== null && knownEnd !== null && knownEnd < askedAt ? { start: knownEnd, end: askedAt } : undefined
      return {
        askedAt: askedAt ?? undefined,
        known: row.known.map(([start, end]) => ({ start, end })),
        presumed: since && intersect(since, window),
        sessions: row.sessions.map(([date, start, end, offsetSec]) => ({ date, start, end, offsetSec })),
      }
    },

    async putSessions({ calendar, hours, zone, known, sessions, askedAt }) {
      const until = Math.max(known.end, sessions.at(-1)?.end ?? known.end)
      await database.rows(sql`
        with incoming as (
          select u.date::date as date, to_timestamp(u.s) as opens, to_timestamp(u.e) as closes, u.off
          from unnest(${textsOf(sessions.map((one) => one.date))}, ${arrayOf(column(sessions, 'start'), 'float8')},
            ${arrayOf(column(sessions, 'end'), 'float8')}, ${arrayOf(column(sessions, 'offsetSec'), 'int4')}) as u(date, s, e, off)
        ), gone as (
          delete from sessions x where x.calendar = ${calendar} and x.hours = ${hours}
            and x.opens < ${at(until)} and x.closes > ${at(known.start)} and x.opens not in (select opens from incoming)
        ), put as (
          insert into sessions (calendar, hours, date, opens, closes, offset_sec)
          select ${calendar}, ${hours}, date, opens, closes, off from incoming order by opens
          on conflict (calendar, hours, opens) do update
            set date = excluded.date, closes = excluded.closes, offset_sec = excluded.offset_sec
        )
        insert into calendars (calendar, hours, zone, known, asked_at)
        values (${calendar}, ${hours}, ${zone}, tstzmultirange(tstzrange(${at(known.start)}, ${at(known.end)})), ${at(askedAt ?? 0)})
        on conflict (calendar, hours) do update set zone = excluded.zone, known = calendars.known + excluded.known,
          asked_at = greatest(calendars.asked_at, excluded.asked_at)`)
    },
  }
}

function column(sessions: readonly Session[], name: 'start' | 'end' | 'offsetSec'): number[] {
  return sessions.map((session) => session[name])
}
