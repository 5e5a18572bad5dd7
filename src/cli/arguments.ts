import { type ParseArgsConfig, parseArgs } from 'node:util';
import { codeOf, messageOf } from '#core/errors.ts';
import { usageError } from './exit.ts';
import { unknownWord } from './unknown-word.ts';

/** `parseArgs`, whose complaints name the nearest option and fit in one line. */
export function parseArguments<const Config extends ParseArgsConfig>(command: string, config: Config) {
  try {
    return parseArgs(config);
  } catch (error) {
    const help = `see \`signalbox help ${command}\``;
    // What comes after the first sentence explains how to pass arguments that begin with a dash.
    const [complaint = ''] = messageOf(error).split(/\. |\.?\n/, 1);
    if (codeOf(error) !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw usageError(`${complaint}; ${help}`);

    const [, given = ''] = /'(.+)'/.exec(complaint) ?? [];
    const options = Object.keys(config.options ?? {}).map((name) => `--${name}`);
    throw unknownWord('option', given, options, help);
  }
}
