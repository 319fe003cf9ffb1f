// The containers' health check: node itself asks, because the images hold no curl.
const url = process.argv[2]
const answer = await fetch(url, { signal: AbortSignal.timeout(4000) })
if (!answer.ok) {
  console.error(`${url} answered ${answer.status}`)
  process.exit(1)
}
