import { expect, test } from 'vitest'
import { inWords } from '../src/duration.ts'

test.each([
  [0, 'less than a second'],
  [1, 'about 1 second'],
  [89, 'about 89 seconds'],
  [90, 'about 2 minutes'],
  [600, 'about 10 minutes'],
  [5400, 'about 2 hours'],
  [47 * 3600, 'about 47 hours'],
  [3 * 86_400, 'about 3 days'],
])('%d seconds in words: %s', (sec, words) => {
  expect(inWords(sec)).toBe(words)
})
