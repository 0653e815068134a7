import assert from 'node:assert/strict'
import { test } from 'node:test'

test('messages have their values, in English and in the language of the page', async () => {
  const page = {
    documentElement: { lang: 'pl' },
    getElementById: () => ({
      textContent: JSON.stringify({
        'Signed by {name} on {date}': 'Dnia {date}: {name}',
        '{n} of {of} bed{n} of {of} beds': { one: '{n} łóżko z {of}', few: '{n} łóżka z {of}', many: '{n} łóżek z {of}', other: '{n} łóżka z {of}' },
      }),
    }),
  }
  Object.assign(globalThis, { document: page })
  const { say, sayCount } = await import('./say.ts')
  assert.equal(say('Signed by {name} on {date}', 'Dr {date}', '1-Jan'), 'Dnia 1-Jan: Dr {date}')
  assert.equal(say('Not there, {name}', 'Rosa'), 'Not there, Rosa')
  const beds = (n: number) => sayCount(n, '{n} of {of} bed', '{n} of {of} beds', 9)
  assert.deepEqual([1, 2, 5, 22].map(beds), ['1 łóżko z 9', '2 łóżka z 9', '5 łóżek z 9', '22 łóżka z 9'])
  assert.deepEqual([1, 2].map(n => sayCount(n, '{n} note', '{n} notes')), ['1 note', '2 notes'])
})
