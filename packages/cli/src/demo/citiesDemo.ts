/**
 * The main job on real data: imports all cities by typed calls, changes some one by one, asks typed questions, and
 * keeps count. Every value that it sees was verified by the client before.
 */
import type { Cluster } from '@onus/client/cluster'
import type { cities } from '@onus/example-cities/cities.interface'
import { type City, cityBatches } from '@onus/example-cities/dataset'
import type { Progress } from '../progress.js'

export type CitiesCluster = Cluster<typeof cities>

const citiesPerCall = 100

export interface CallTally {
  /** Milliseconds from issuing to verified result, of each certified call. */
  readonly latencies: number[]
  readonly transactionIds: string[]
  readonly failures: unknown[]
  seconds: number
}

function emptyTally(): CallTally {
  return { latencies: [], transactionIds: [], failures: [], seconds: 0 }
}

/** Adds all cities, many calls at once. */
export async function importCities(
  cluster: CitiesCluster,
  records: readonly City[],
  progress: Progress,
): Promise<CallTally> {
  const tally = emptyTally()
  const started = performance.now()
  const add = async (batch: readonly City[]): Promise<void> => {
    try {
      const { report } = await cluster.send.addCities(batch).until('certified')
      tally.latencies.push(report.latency.total)
      tally.transactionIds.push(report.transactionId)
      progress.update(
        `importing: ${tally.latencies.length * citiesPerCall} of ${records.length} cities certified, block ${report.height}`,
      )
    } catch (error) {
      tally.failures.push(error)
    }
  }
  await Promise.all([...cityBatches(records, citiesPerCall)].map(add))
  tally.seconds = (performance.now() - started) / 1000
  return tally
}

/** Changes cities one after the other: each call waits for the certificate of the one before. */
export async function updateCities(
  cluster: CitiesCluster,
  records: readonly City[],
  count: number,
  progress: Progress,
): Promise<CallTally> {
  const tally = emptyTally()
  const started = performance.now()
  for (let i = 0; i < count; i++) {
    const city = records[Math.floor((i * records.length) / count)]
    if (city === undefined) break
    try {
      const { report } = await cluster.send.setPopulation(city.id, city.population + 1).until('certified')
      tally.latencies.push(report.latency.total)
      tally.transactionIds.push(report.transactionId)
      progress.update(`one call at a time: ${i + 1} of ${count}, block ${report.height}`)
    } catch (error) {
      tally.failures.push(error)
    }
  }
  tally.seconds = (performance.now() - started) / 1000
  return tally
}

export interface Answered {
  readonly question: string
  readonly answer: string
  readonly milliseconds: number
  readonly agreedBy: number
  readonly height: number
}

/** Typed questions; f+1 nodes gave each answer alike. */
export async function askCities(cluster: CitiesCluster): Promise<Answered[]> {
  const list = (found: readonly City[]): string => found.map(({ name, country }) => `${name} (${country})`).join(', ')
  const questions = [
    { question: 'count()', ask: async () => withText(await cluster.query.count(), String) },
    {
      question: "byName('Springfield', 3)",
      ask: async () => withText(await cluster.query.byName('Springfield', 3), list),
    },
    { question: "largest('JP', 3)", ask: async () => withText(await cluster.query.largest('JP', 3), list) },
    {
      question: 'nearest(47.05, 8.31, 3)',
      ask: async () => withText(await cluster.query.nearest(47.05, 8.31, 3), list),
    },
  ]
  const answered: Answered[] = []
  for (const { question, ask } of questions) answered.push({ question, ...(await ask()) })
  return answered
}

function withText<Value>(
  { value, report }: { value: Value; report: { latency: number; agreedBy: readonly string[]; height: number } },
  print: (value: Value) => string,
): Omit<Answered, 'question'> {
  return { answer: print(value), milliseconds: report.latency, agreedBy: report.agreedBy.length, height: report.height }
}
