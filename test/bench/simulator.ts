/** The simulator in a process of its own, so that its work is not counted as ours. Prints its port. */
import { createSimulator } from '@tidegate/simulator'

const simulator = await createSimulator()
console.log(simulator.port)
