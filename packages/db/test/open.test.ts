import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { createStore, openDatabase, openPglite } from '@tidegate/db'
import { sql } from 'drizzle-orm'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { copyPglite } from '../../../test/support/pglite.ts'
import { databaseError, placeOf } from '../src/database.ts'
import { lockFolder } from '../src/lock.ts'
import { anySeries, details, NOW } from './fixture.ts'

let folder = ''
let dir = ''
const children: ChildProcess[] = []
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tidegate-open-'))
  dir = path.join(folder, 'db')
})
afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => finish(child)))
  await rm(folder, { recursive: true, force: true })
})

/** Another process that takes the lock; what it says of it. */
async function otherProcess(): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'holder.ts'), dir], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  children.push(child)
  const [said] = await once(createInterface({ input: child.stdout }), 'line')
  return { child, said }
}

async function finish(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill(signal)
  await once(child, 'exit')
}

/** The disk has no room left for the next file of the log, until what it returns is called. */
function fillDisk(): () => void {
  const { openSync, writeSync } = fs
  const full = new Set<number>()
  fs.openSync = (path, ...rest) => {
    const fd = openSync(path, ...rest)
    if (String(path).includes('xlogtemp')) full.add(fd)
    return fd
  }
  fs.writeSync = ((fd: number, ...rest: [string]) => {
    if (!full.has(fd)) return writeSync(fd, ...rest)
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', errno: -28 })
  }) as typeof fs.writeSync
  syncBuiltinESMExports()
  return () => {
    Object.assign(fs, { openSync, writeSync })
    syncBuiltinESMExports()
  }
}

describe('an embedded database whose disk is full', () => {
  it('ends, says so once, refuses all that is asked then, and is whole when it is opened again', async () => {
    await copyPglite(dir)
    const ends: string[] = []
    const database = await openPglite(dir, ({ message }) => ends.push(message))
    await database.rows(sql`create table kept (what text)`)
    await database.rows(sql`insert into kept values ('this')`)
    const mend = fillDisk()
    try {
      // Each begins a new file of the log, whose room is taken before it is written.
      const goOn = async () => {
        await database.rows(sql`select pg_switch_wal()`)
        await database.rows(sql`create table another (what text)`)
        await database.rows(sql`drop table another`)
      }
      await expect(async () => {
        for (;;) await goOn()
      }).rejects.toThrow('No space left on device. Nothing that was stored is lost: make room')
      await expect(goOn()).rejects.toThrow('has ended')
      await expect(database.client.query('select 1')).rejects.toThrow('has ended')
      expect(ends).toEqual([expect.stringContaining(dir)])
      await database.close()
      mend()
      const again = await openPglite(dir)
      expect(await again.rows(sql`select count(*)::int as count from kept`)).toEqual([{ count: 1 }])
      await again.close()
    } finally {
      mend()
    }
  })
})

describe('openDatabase', () => {
  it.each([
    [{ url: 'postgres://u:p@ep-cool-1.eu-central-1.aws.neon.tech/db' }, 'neon'],
    [{ url: 'postgres://u:p@ep-cool-1.eu-central-1.aws.neon.tech/db', session: true }, 'tcp'],
    [{ url: 'postgresql://u:p@localhost:5432/db' }, 'tcp'],
    [{ url: 'postgres://u:p@neon.tech.example.org/db' }, 'tcp'],
  ])('of %o takes the driver %s', async (options, driver) => {
    const database = await openDatabase(options)
    expect(database.driver).toBe(driver)
    await database.close()
  })

  it('without a URL is embedded, and keeps what it holds', async () => {
    await copyPglite(dir)
    for (const expected of [0, 1]) {
      const database = await openDatabase({ dir })
      await database.migrate()
      const store = createStore(database)
      expect(await store.series()).toHaveLength(expected)
      await anySeries(store)
      await database.close()
    }
    expect(await readdir(folder)).toEqual(['db'])
  })

  it.each(['mysql://u:secret@h/db', 'u:secret@h/db', 'secret', ''])(
    'refuses %s and does not repeat it',
    async (url) => {
      const failure = await openDatabase({ url }).catch((error: unknown) => error)
      expect(failure).toMatchObject({ kind: 'invalid' })
      expect(String(failure)).not.toContain('secret')
    },
  )

  it('names the place of a database that nobody serves, and not its password', async () => {
    const database = await openDatabase({ url: 'postgres://user:secret@127.0.0.1:1/db' })
    const failure = await database.migrate().catch((error: unknown) => error)
    expect(failure).toMatchObject({ kind: 'database' })
    expect(String(failure)).toContain('127.0.0.1:1/db')
    expect(String(failure)).not.toMatch(/secret|user/)
    await database.close()
  })

  it('says of an old or empty schema to migrate it, and does not repeat what it was to store', async () => {
    await copyPglite(dir)
    const database = await openPglite(dir)
    for (const older of [sql`drop column updated_at`, sql`rename to later`]) {
      await database.rows(sql`alter table instruments ${older}`)
      const failure = await createStore(database)
        .putInstrument('SOME.NAME', details('SOME'), NOW)
        .catch((error: unknown) => error)
      expect(failure).toMatchObject({ kind: 'database', message: expect.stringContaining('`tidegate migrate`') })
      const { cause } = failure as Error
      expect(cause).toBeInstanceOf(Error)
      expect(`${(cause as Error).stack}${(failure as Error).stack}`).not.toContain('SOME')
    }
    await database.close()
  })

  it('tells of each address of a host that none answered at', () => {
    const none = new AggregateError([
      new Error('connect ECONNREFUSED ::1:5'),
      new Error('connect ECONNREFUSED 127.0.0.1:5'),
    ])
    expect(databaseError(none, 'localhost:5/db').message).toContain('::1:5; connect ECONNREFUSED 127.0.0.1:5')
  })

  it('has a place without user, password and options', () => {
    expect(placeOf('postgres://us%40er:p%2Fw@h.example:6543/my%20db?password=x')).toBe('h.example:6543/my%20db')
  })

  it('of a damaged folder says what is wrong, and lets go of it', async () => {
    await mkdir(dir)
    await writeFile(path.join(dir, 'PG_VERSION'), '18\n')
    await expect(openPglite(dir)).rejects.toMatchObject({
      kind: 'database',
      message: expect.stringMatching(new RegExp(`${dir} .* damaged.*move it away`, 's')),
    })
    expect(await readdir(folder)).toEqual(['db'])
  })

  it('whose folder can not be made says so at once, and which', async () => {
    const file = path.join(folder, 'file')
    await writeFile(file, '')
    for (const [parent, above] of [
      ['/proc/none/deep', '/proc/none'],
      [path.join(file, 'deep'), file],
    ] as const) {
      await expect(openDatabase({ dir: path.join(parent, 'db') })).rejects.toMatchObject({
        kind: 'database',
        message: expect.stringMatching(new RegExp(`^The folder ${above} .* could not be made: E.*DATABASE_URL`)),
      })
    }
  })
})

describe('the lock of a folder', () => {
  it('is one process’s, by whatever name, until it is given back', async () => {
    const unlock = await lockFolder(dir)
    expect((await stat(`${dir}.lock`)).mode & 0o777).toBe(0o600)
    await expect(lockFolder(dir)).rejects.toMatchObject({ kind: 'conflict' })
    expect((await otherProcess()).said).toContain(`open in process ${process.pid}`)
    await unlock()
    expect((await otherProcess()).said).toBe('held')
  })

  it('of a living process is refused, naming it; of a dead one it is taken over', async () => {
    const { child, said } = await otherProcess()
    expect(said).toBe('held')
    await expect(lockFolder(dir)).rejects.toMatchObject({
      kind: 'conflict',
      message: expect.stringContaining(`process ${child.pid}`),
    })
    await finish(child, 'SIGKILL')
    await (await lockFolder(dir))()
    expect(await readdir(folder)).toEqual([])
  })

  it('of a killed one is taken over also while its parent has not asked after it', async () => {
    // The shell becomes another program, which knows of no child.
    const parent = spawn('sh', ['-c', 'sleep 600 & echo $!; exec sleep 600'])
    children.push(parent)
    const pid = Number(await once(parent.stdout, 'data'))
    const fields = async () => (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ').at(-1)?.split(' ') ?? []
    await writeFile(`${dir}.lock`, `${pid} ${(await fields())[19]}`)
    await expect(lockFolder(dir)).rejects.toMatchObject({ message: expect.stringContaining(`process ${pid}`) })
    process.kill(pid, 'SIGKILL')
    await expect.poll(async () => (await fields())[0]).toBe('Z')
    await (await lockFolder(dir))()
  })

  it.each(['', 'garbage', '-1', '0', '999999999', '1e99', String(process.pid)])(
    'left behind as "%s" is taken over',
    async (text) => {
      await writeFile(`${dir}.lock`, text)
      await (await lockFolder(dir))()
      expect(await readdir(folder)).toEqual([])
    },
  )

  it('of a process that is gone is taken over, whoever has its pid by now', async () => {
    await writeFile(`${dir}.lock`, '1 never')
    await (await lockFolder(dir))()
    expect(await readdir(folder)).toEqual([])
    await writeFile(`${dir}.lock`, '1')
    await expect(lockFolder(dir)).rejects.toMatchObject({ message: expect.stringContaining(`${dir}.lock`) })
  })

  it('is taken over by one alone, even where a takeover died half way', async () => {
    await writeFile(`${dir}.lock`, 'garbage')
    await writeFile(`${dir}.lock.takeover`, 'garbage')
    const results = await Promise.all([otherProcess(), otherProcess(), otherProcess()])
    expect(results.filter(({ said }) => said === 'held')).toHaveLength(1)
    expect(await readdir(folder)).toEqual(['db.lock'])
  })

  it('taken by many calls at once in one process is one’s', async () => {
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => lockFolder(dir)))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })
})
