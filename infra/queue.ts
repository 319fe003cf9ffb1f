/** Where a message goes that failed too often. It holds a chunk's id only: the chunk itself is in the database. */
export const failed = new sst.cloudflare.Queue('Failed')

/** Chunk ids on their way to a worker. The name is that of the binding in the code: `env.CHUNKS`. */
export const chunks = new sst.cloudflare.Queue('CHUNKS', {
  // A chunk decides itself what its failure means, in the database; this only catches a Worker that dies, or that can't
  // reach the database. Between the tries the code waits half a minute, and twice as long each time.
  // SST 4.17.1 sends `retryDelay` in milliseconds where Cloudflare takes seconds, so it is not set here.
  dlq: { queue: failed.nodes.queue.queueName, retry: 5 },
  // The bridge lets about six small requests a minute go: more consumers would only be told that it is busy.
  maxConcurrency: 2,
})
