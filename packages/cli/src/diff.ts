import type { DatasetDefinition, Schedule } from '@tidegate/core'

/** What applying a config would do to one dataset. */
export type Change =
  | { readonly kind: 'new' | 'same'; readonly definition: DatasetDefinition }
  | { readonly kind: 'changed'; readonly definition: DatasetDefinition; readonly before: DatasetDefinition }
  /** Declared in the database and not in the config. */
  | { readonly kind: 'extra'; readonly definition: DatasetDefinition }

/** Longer lists are counted. */
const MOST_NAMED = 6

/** A config against what is declared: the config's own datasets in its order, then those that it does not have. */
export function changesOf(config: readonly DatasetDefinition[], declared: readonly DatasetDefinition[]): Change[] {
  const before = new Map(declared.map((definition) => [definition.name, definition]))
  const own = config.map((definition): Change => {
    const known = before.get(definition.name)
    before.delete(definition.name)
    if (!known) return { kind: 'new', definition }
    return fieldsOf(known, definition).length === 0
      ? { kind: 'same', definition }
      : { kind: 'changed', definition, before: known }
  })
  return [...own, ...[...before.values()].map((definition): Change => ({ kind: 'extra', definition }))]
}

/** The changes for a person, a paragraph a dataset; nothing of those that stay as they are. */
export function diffText(changes: readonly Change[], prune: boolean): string {
  return changes.map((change) => changeText(change, prune)).join('')
}

function changeText(change: Change, prune: boolean): string {
  const { name } = change.definition
  switch (change.kind) {
    case 'new':
      return paragraph(`+ ${name}`, entries(change.definition))
    case 'changed':
      return paragraph(`~ ${name}`, fieldsOf(change.before, change.definition))
    case 'extra':
      return `− ${name}: not in the config${prune ? '; its data are kept' : ', left alone'}\n`
    default:
      return ''
  }
}

function paragraph(head: string, lines: readonly string[]): string {
  return `${head}\n${lines.map((line) => `    ${line}\n`).join('')}`
}

/** A schedule in words. */
export function scheduleText(schedule: Schedule): string {
  if ('cron' in schedule) return `${schedule.cron} (${schedule.zone})`
  if ('afterClose' in schedule) return `${schedule.afterClose} after each close`
  return `every ${schedule.every}${schedule.during ? ' of a session' : ''}`
}

function entries(definition: DatasetDefinition): string[] {
  const { instruments, specs, since, hours, schedule, priority } = definition
  return [
    `instruments: ${listed(instruments)}`,
    `specs: ${listed(specs)}`,
    `since: ${since}`,
    `hours: ${hours}`,
    `schedule: ${scheduleText(schedule)}`,
    ...(priority ? [`priority: ${priority}`] : []),
  ]
}

/** The fields that differ, a line each. */
function fieldsOf(before: DatasetDefinition, after: DatasetDefinition): string[] {
  const lists = (['instruments', 'specs'] as const).flatMap((field) => listLine(field, before[field], after[field]))
  const texts = (['since', 'hours', 'schedule', 'priority'] as const).flatMap((field) => {
    const [old, now] = [textOf(before, field), textOf(after, field)]
    return old === now ? [] : [`${field}: ${old} → ${now}`]
  })
  return [...lists, ...texts]
}

function textOf(definition: DatasetDefinition, field: 'since' | 'hours' | 'schedule' | 'priority'): string {
  return field === 'schedule' ? scheduleText(definition.schedule) : (definition[field] ?? 'scheduled')
}

function listLine(field: string, before: readonly string[], after: readonly string[]): string[] {
  const added = after.filter((one) => !before.includes(one))
  const removed = before.filter((one) => !after.includes(one))
  const parts = [added.length > 0 ? `+ ${listed(added)}` : '', removed.length > 0 ? `− ${listed(removed)}` : '']
  const text = parts.filter((part) => part !== '').join(' ')
  if (text !== '') return [`${field}: ${text}`]
  return before.join() === after.join() ? [] : [`${field}: in another order`]
}

function listed(names: readonly string[]): string {
  const more = names.length - MOST_NAMED
  return more > 1 ? `${names.slice(0, MOST_NAMED).join(', ')} and ${more} more` : names.join(', ')
}
