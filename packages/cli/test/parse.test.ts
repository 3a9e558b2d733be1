/** Arguments of commands from words, help, and the nearest word. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Command } from '@onus/cli/command/command'
import { commandHelp, overallHelp } from '@onus/cli/command/help'
import { nearestWord } from '@onus/cli/command/nearestWord'
import { choiceOption, integerOption, parseCommand } from '@onus/cli/command/parse'
import { commands } from '@onus/cli/commands/all'
import { splitWords } from '@onus/cli/dev/keyboard'
import { OnusError } from '@onus/protocol/errors'

const sample: Command = {
  name: 'sample',
  about: 'does nothing',
  positionals: [
    { name: 'NAME', about: 'a name' },
    { name: 'MORE', about: 'the rest', isRest: true },
  ],
  options: { count: { value: 'N', about: 'a number' }, loud: { about: 'a flag' } },
  examples: [{ command: 'onus sample x', about: 'an example' }],
  run: () => Promise.resolve(0),
}

function refused(run: () => unknown): OnusError {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof OnusError)
    return error
  }
  return assert.fail('nothing was thrown')
}

describe('words of a command', () => {
  test('flags, values and positionals in any order', () => {
    const parsed = parseCommand(sample, ['a', '--count', '3', 'b', '--loud', '--json'])
    assert.deepEqual(parsed.positionals, ['a', 'b'])
    assert.deepEqual([...parsed.flags].sort(), ['json', 'loud'])
    assert.equal(parsed.values.get('count'), '3')
  })

  test('negative numbers are no options', () => {
    assert.deepEqual(parseCommand(sample, ['a', '-5', '-0.5']).positionals, ['a', '-5', '-0.5'])
    assert.equal(parseCommand(sample, ['a', '--count', '-5']).values.get('count'), '-5')
  })

  test('what is behind -- is never an option', () => {
    assert.deepEqual(parseCommand(sample, ['a', '--', '--json']).positionals, ['a', '--json'])
  })

  test('complaints name what came and the help', () => {
    for (const [words, message] of [
      [[], /onus sample needs NAME: a name/],
      [['a', '--no-such'], /--no-such/],
      [['a', '--count'], /--count/],
    ] as const) {
      const error = refused(() => parseCommand(sample, words))
      assert.equal(error.code, 'usage')
      assert.match(error.message, message)
      assert.equal(error.remedy, 'see: onus sample --help')
    }
    assert.match(refused(() => parseCommand({ ...sample, positionals: [] }, ['x'])).message, /does not take "x"/)
  })

  test('numbers and choices are checked', () => {
    const parsed = parseCommand(sample, ['a', '--count', '7'])
    const range = { least: 4, most: 16, otherwise: 4 }
    assert.equal(integerOption(parsed, 'sample', 'count', range), 7)
    assert.equal(integerOption(parsed, 'sample', 'absent', range), 4)
    assert.match(
      refused(() => integerOption(parsed, 'sample', 'count', { ...range, most: 5 })).message,
      /expected 4 to 5, got "7"/,
    )
    assert.match(refused(() => choiceOption(parsed, 'sample', 'count', ['a', 'b'])).message, /expected a or b, got "7"/)
  })
})

describe('help', () => {
  test('every command has examples, and its help shows all options', () => {
    for (const command of commands) {
      assert.ok(command.examples.length > 0, command.name)
      const text = commandHelp(command)
      for (const name of [...Object.keys(command.options), 'json', 'help'])
        assert.ok(text.includes(`--${name}`), `${command.name} --${name}`)
      for (const example of command.examples) {
        assert.ok(text.includes(example.command))
        const [program, name, ...words] = splitWords(example.command)
        assert.deepEqual([program, name], ['onus', command.name])
        parseCommand(command, words)
      }
      assert.ok(overallHelp(commands).includes(command.about))
    }
  })

  test('a mistyped command finds the nearest', () => {
    const names = commands.map(({ name }) => name)
    assert.equal(nearestWord('statsu', names), 'status')
    assert.equal(nearestWord('buid', names), 'build')
    assert.equal(nearestWord('frobnicate', names), null)
  })

  test('a line typed at a key is split as by a shell', () => {
    assert.deepEqual(splitWords(`add "buy milk" '{"a":1}' x"y z"`), ['add', 'buy milk', '{"a":1}', 'xy z'])
    assert.deepEqual(splitWords('  '), [])
  })
})
