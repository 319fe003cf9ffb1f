const STEPS = [
  { sec: 86_400, name: 'day', from: 172_800 },
  { sec: 3600, name: 'hour', from: 5400 },
  { sec: 60, name: 'minute', from: 90 },
  { sec: 1, name: 'second', from: 1 },
] as const

/** A length of time as a person would say it: `less than a second`, `about 3 minutes`. */
export function inWords(sec: number): string {
  const step = STEPS.find(({ from }) => sec >= from)
  if (!step) return 'less than a second'
  const count = Math.round(sec / step.sec)
  return `about ${count} ${step.name}${count === 1 ? '' : 's'}`
}
