import type { Ingest, IngestOptions } from './types.ts'

export declare function createIngest(options: IngestOptions): Ingest
