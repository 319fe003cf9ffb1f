import { afterEach, describe, expect, it } from 'vitest'
import { bodyReply, linesReply } from '../src/reply.ts'
import { createShelf } from '../src/shelf.ts'
import { NOW_SEC } from './market.ts'
import { endAll, request, sent, until } from './rig.ts'
import { startStreams } from './streams.ts'

afterEach(endAll)

describe('answers that wait to be read', () => {
  it('are held up to a bound; whoever has taken nothing for the longest is cut off then', () => {
    const cut: string[] = []
    const shelf = createShelf(100)
    const reader = (name: string) => shelf.reader(() => cut.push(name))
    const [slow, gone, idle] = [reader('slow'), reader('gone'), reader('idle')]
    idle.took()
    gone.hold(60)
    const release = slow.hold(30)
    slow.took()
    expect([shelf.size, cut]).toEqual([90, []])
    slow.hold(20)
    expect([shelf.size, cut]).toEqual([50, ['gone']])
    release()
    release()
    expect(shelf.size).toBe(20)
    slow.leave()
    expect([shelf.size, cut]).toEqual([0, ['gone']])
  })

  it('are held where it is a single one, whatever its size', () => {
    const cut: string[] = []
    const shelf = createShelf(100)
    const one = shelf.reader(() => cut.push('one'))
    const release = one.hold(1000)
    expect(cut).toEqual([])
    release()
    one.hold(1000)
    shelf.reader(() => cut.push('two')).hold(1)
    expect([shelf.size, cut]).toEqual([1, ['one']])
  })
})

describe('replies over HTTP that are not read', () => {
  const chunks = () => [{ t: [1] }, { t: [2] }].values()
  const answer = { head: {}, chunks, done: { bars: 2 }, size: 600, told: {} }

  it('are cut off, and those that are read are whole', async () => {
    const shelf = createShelf(1000)
    const unread = linesReply('unread', answer, shelf).getReader()
    await unread.read()
    const read = new Response(linesReply('read', answer, shelf))
    await expect(unread.read()).rejects.toThrow('wait to be read')
    expect((await read.text()).trim().split('\n')).toHaveLength(4)
    const body = new Response(bodyReply(answer, shelf))
    expect(shelf.size).toBe(600)
    expect(await body.json()).toEqual({ bars: 2 })
    const left = linesReply('left', answer, shelf).getReader()
    await left.cancel()
    expect(shelf.size).toBe(0)
  })
})

describe('a stream that is not read', () => {
  it('asks for nothing more until it is read, and is told so when its patience is over', async () => {
    const { raw, simulator } = await startStreams()
    const { socket, say, frame } = await raw()
    const other = await raw()
    socket.pause()
    // One answer for all, which is more than the network holds.
    const large = { op: 'bars', ...request({ barSize: '1 min', duration: '1 W', end: NOW_SEC - 60 }) }
    for (let id = 0; id < 20; id++) say({ id, ...large })
    other.say({ id: 0, ...large })
    await until('it is answered', () => other.frames.some(({ done }) => done))
    say({ id: 'impatient', op: 'bars', ...request(), waitMs: 0 })
    say({ id: 'patient', op: 'bars', ...request(), waitMs: 60_000 })
    other.say({ id: 1, op: 'bars', ...request({ duration: '2 D' }) })
    await until('the other has its answer', () => other.frames.some(({ id, done }) => id === 1 && done))
    expect(sent(simulator, 20)).toBe(2)
    socket.resume()
    expect((await frame({ id: 'impatient' })).error).toMatchObject({ kind: 'busy' })
    await until('the patient one is asked', () => sent(simulator, 20) === 3)
  })

  it('has its pings answered, and is closed when it sends too many', async () => {
    const { raw } = await startStreams()
    const { socket, closed } = await raw()
    const pongs: string[] = []
    socket.on('pong', (data) => pongs.push(String(data)))
    socket.ping('one')
    await until('it is answered', () => pongs.includes('one'))
    for (let i = 0; i < 1000; i++) socket.ping('more')
    expect(await closed).toBe(1008)
  })
})
