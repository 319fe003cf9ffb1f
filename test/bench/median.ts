/** What an act takes, milliseconds, the median of so many rounds; and what the last of them gave. */
export async function median<T>(
  rounds: number,
  act: () => Promise<T>,
): Promise<{ readonly ms: number; readonly result: T }> {
  const times: number[] = []
  let result: T
  do {
    const begun = performance.now()
    result = await act()
    times.push(performance.now() - begun)
  } while (times.length < rounds)
  return { ms: times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN, result }
}
