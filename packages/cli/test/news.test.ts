import { expect, test } from 'vitest'
import { createNews } from '../src/news.ts'

test('what chunks bring is counted, told once, and logged as before', () => {
  const said: string[] = []
  const say = (_: object, message: string) => void said.push(message)
  const news = createNews({ info: say, warn: say, error: say })
  expect(news.take()).toBeUndefined()
  for (const series of [1, 2, 2]) news.log.info({ series, written: 4 }, 'chunk committed')
  news.log.info({ series: 3, written: 0 }, 'chunk committed')
  news.log.warn({ series: 4 }, 'chunk failed')
  expect(news.take()).toBe('12 new bars in 2 series')
  expect(news.take()).toBeUndefined()
  news.log.info({ series: 1, written: 1 }, 'chunk committed')
  expect(news.take()).toBe('1 new bar in 1 series')
  expect(said).toHaveLength(6)
})
