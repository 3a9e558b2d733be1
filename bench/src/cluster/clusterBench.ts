/** `npm run bench -- cluster`: rounds on each medium, then the profile, then the report. Nothing passes or fails. */
import { runProfile } from '../profile/profileRun.js'
import { type Programs, programs } from '../programs.js'
import { checkMedia, type Medium, withFolder } from '../system/media.js'
import { createProgress, type Progress } from '../system/progress.js'
import { jsonLine } from './json.js'
import { type ClusterOptions, clusterHelp, parseClusterOptions } from './options.js'
import { costModel, profileText, summaryText } from './report.js'
import { lengthsOf, type Round, runRound } from './rounds.js'
import { summarize } from './summary.js'

async function runRounds(
  options: ClusterOptions,
  media: readonly Medium[],
  built: Programs,
  progress: Progress,
): Promise<Map<Medium, Round[]>> {
  const rounds = new Map<Medium, Round[]>(media.map((medium) => [medium, []]))
  for (let number = 1; number <= options.rounds; number++)
    for (const medium of media) {
      rounds.get(medium)?.push(await runRound(options, medium, built, number, progress))
      progress.done(`${medium}: round ${number} of ${options.rounds}`)
    }
  return rounds
}

/** Exit code. Rejects `usage`, `no-tmpfs`, `no-disk`, `no-go`, and what ends a cluster. */
export async function clusterBench(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    process.stdout.write(clusterHelp)
    return 0
  }
  const options = parseClusterOptions(args)
  const media: Medium[] = options.disk ? ['tmpfs', 'disk'] : ['tmpfs']
  await checkMedia(media)
  const progress = createProgress()
  const built = await programs(progress)
  process.stdout.write(`${costModel(options)}\n`)
  const rounds = await runRounds(options, media, built, progress)
  const profile = await withFolder('tmpfs', (folder) =>
    runProfile({ folder, nodes: options.nodes, ...built }, lengthsOf(options), (what) => progress.update(what)),
  )
  progress.done('profile')
  const summaries = [...rounds].map(([medium, done]) => summarize(medium, options.nodes, done))
  for (const summary of summaries) process.stdout.write(`${summaryText(summary)}\n`)
  process.stdout.write(profileText(profile))
  if (options.json) process.stdout.write(`${jsonLine(options, summaries, profile)}\n`)
  return 0
}
