/** The empty process beside the nodes: its event loop's delay is what the machine alone costs. Ends with its parent. */
process.on('disconnect', () => process.exit(0))
process.send?.('ready')
