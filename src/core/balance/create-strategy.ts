import type { Random } from '#core/random.ts';
import type { StrategyChoice } from '#core/table.ts';
import { ConsistentHash } from './consistent-hash.ts';
import { LeastConn } from './least-conn.ts';
import { P2cEwma } from './p2c-ewma.ts';
import { WeightedRandom } from './random.ts';
import { RoundRobin } from './round-robin.ts';
import type { LoadView, Strategy } from './strategy.ts';

/** One per pool: a strategy remembers what it derived from the candidates it saw last. */
export function createStrategy(choice: StrategyChoice, load: LoadView, random: Random): Strategy {
  switch (choice.kind) {
    case 'round_robin':
      return new RoundRobin(load);
    case 'random':
      return new WeightedRandom(random);
    case 'least_conn':
      return new LeastConn(load);
    case 'consistent_hash':
      return new ConsistentHash();
    case 'p2c_ewma':
      return new P2cEwma(load, random);
  }
}
