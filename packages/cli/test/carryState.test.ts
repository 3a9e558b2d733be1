/** The state over a reload: real builds of edited sources, real memory, and the collector at work afterwards. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Live, reload, startLive } from './support/liveBackend.js'

const notes = `
class Note { constructor(public id: u32, public text: string) {} }
const notes = new Array<Note>();
let title = "untitled";
const weekdays = ["Mon", "Tue", "Wed"];
export function add(text: string): u32 { notes.push(new Note(notes.length, text)); return notes.length - 1 }
export function rename(text: string): void { title = text }
export function churn(rounds: u32): u32 {
  let length: u32 = 0;
  for (let i: u32 = 0; i < rounds; i++) { const text = "garbage " + i.toString(); length += text.length }
  return length
}
/** @query */
export function list(): Note[] { return notes }
/** @query */
export function name(): string { return title + " on " + weekdays[notes.length % 3] }
`

async function withNotes(source = notes): Promise<Live> {
  const live = await startLive(source)
  for (const text of ['buy milk', 'call Ada', 'ünïcödé 🐎']) live.call('add', text)
  live.call('rename', 'my notes')
  return live
}

const expected = ['buy milk', 'call Ada', 'ünïcödé 🐎'].map((text, id) => ({ id, text }))

/** Collections, growth, and old and new objects side by side. */
function useHard(live: Live): void {
  const before = (live.call('list') as unknown[]).length
  for (let round = 0; round < 30; round++) {
    live.call('churn', 2_000)
    live.call('add', `after ${round}`)
  }
  const list = live.call('list') as { id: number; text: string }[]
  assert.equal(list.length, before + 30)
  assert.deepEqual(list.slice(0, 3), expected)
  assert.deepEqual(list.at(-1), { id: before + 29, text: 'after 29' })
}

async function kept(live: Live, source: string): Promise<Live> {
  const reloaded = await reload(live, source)
  assert.ok('live' in reloaded, 'reasons' in reloaded ? reloaded.reasons.join('\n') : '')
  return reloaded.live
}

async function reasons(live: Live, source: string): Promise<readonly string[]> {
  const reloaded = await reload(live, source)
  assert.ok('reasons' in reloaded, 'the state was kept')
  return reloaded.reasons
}

describe('kept', () => {
  test('when only code changes, in place', async () => {
    const reloaded = await reload(await withNotes(), notes.replace('notes.length - 1', 'notes.length + 41'))
    assert.ok('live' in reloaded)
    assert.equal(reloaded.placement, 'same')
    assert.deepEqual(reloaded.live.call('list'), expected)
    assert.equal(reloaded.live.call('add', 'x'), 45)
  })

  test('when texts of the source change, which move its data', async () => {
    const live = await kept(
      await withNotes(),
      notes.replace('"garbage "', '"other garbage, and longer "').replace('Mon', 'Monday'),
    )
    assert.deepEqual(live.call('list'), expected)
    assert.equal(live.call('name'), 'my notes on Monday')
    useHard(live)
  })

  test('when a variable keeps a text of the old source', async () => {
    const live = await kept(await startLive(notes), notes.replace('"untitled"', '"without title"'))
    assert.equal(live.call('name'), 'untitled on Mon')
  })

  test('when classes, entries and variables with objects are added', async () => {
    const more = `class Tag { constructor(public word: string) {} }
const tags = new Map<string, Tag>();
let calls: u64 = 5;
${notes}
export function tag(word: string): i32 { tags.set(word, new Tag(word)); calls++; return tags.size }
/** @query */
export function count(): u64 { return calls }
`
    const live = await kept(await withNotes(), more)
    assert.deepEqual(live.call('list'), expected)
    assert.equal(live.call('tag', 'a'), 1)
    assert.equal(live.call('tag', 'b'), 2)
    assert.equal(live.call('count'), 7n)
    useHard(live)
    assert.equal(live.call('tag', 'b'), 2)
  })

  test('over many reloads in a row, with collections in between', async () => {
    let live = await withNotes()
    for (let round = 0; round < 4; round++) {
      const source = notes.replace('"garbage "', `"garbage of round ${round} ${'x'.repeat(round * 7)}"`)
      live = await kept(live, source)
      live.call('churn', 5_000)
      assert.deepEqual((live.call('list') as unknown[]).slice(0, 3), expected)
    }
    useHard(live)
    assert.equal(live.call('name'), 'my notes on Mon')
  })
})

describe('not kept, and why', () => {
  test('a field is added, moved, retyped, removed', async () => {
    const live = await withNotes()
    const edit = (fields: string, made: string): string =>
      notes.replace('public id: u32, public text: string', fields).replace('new Note(notes.length, text)', made)
    assert.deepEqual(
      await reasons(
        live,
        edit('public id: u32, public text: string, public done: bool = false', 'new Note(notes.length, text)'),
      ),
      ['class Note: field done is new'],
    )
    assert.deepEqual(await reasons(live, edit('public text: string, public id: u32', 'new Note(text, notes.length)')), [
      'class Note: field id moved from byte 0 to 4',
      'class Note: field text moved from byte 4 to 0',
    ])
    assert.deepEqual(await reasons(live, edit('public id: u64, public text: string', 'new Note(notes.length, text)')), [
      'class Note: field id was u32 and is u64',
      'class Note: field text moved from byte 4 to 8',
    ])
    assert.deepEqual(await reasons(live, edit('public text: string', 'new Note(text)')), [
      'class Note: field id is gone',
      'class Note: field text moved from byte 4 to 0',
    ])
  })

  test('a variable gets another type', async () => {
    const source = notes
      .replace('let title = "untitled"', 'let title: u32 = 0')
      .replace('title = text', 'title = text.length')
      .replace('title + " on "', 'title.toString() + " on "')
    assert.deepEqual(await reasons(await withNotes(), source), ['variable title was String and is u32'])
  })

  test('calls have written to a constant of the source that would be fresh', async () => {
    const table = `${notes}
const table: StaticArray<u32> = [1, 2, 3];
export function set(at: u32, value: u32): u32 { table[at] = value; return table[0] + table[1] + table[2] }
`
    const live = await withNotes(table)
    assert.equal(live.call('set', 0, 10), 15)
    const changed = table.replace('"garbage "', '"some other garbage "')
    assert.match((await reasons(live, changed)).join(), /calls have written to an array literal/)
    assert.equal((await kept(live, table.replace('+ table[2]', '+ table[2] + 100'))).call('set', 1, 2), 115)
  })

  test('a class is gone of which there are objects', async () => {
    const renamed = notes.replaceAll(/\bNote\b/g, 'Memo')
    assert.match(
      (await reasons(await withNotes(), renamed)).join('\n'),
      /class Note is gone, and there are objects of it/,
    )
  })
})
