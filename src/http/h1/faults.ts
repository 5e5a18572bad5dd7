/** What can be wrong with a message, each in one word: stable, for answers, metrics and tests. */

export type HeadFault =
  | 'bare_cr'
  | 'bare_lf'
  /** A control character, NUL included. */
  | 'control_character'
  /** A line that begins with white space: a folded field (RFC 9112 §5.2), or one in disguise. */
  | 'obs_fold'
  | 'space_before_colon'
  | 'bad_field_name'
  | 'bad_method'
  | 'bad_target'
  | 'bad_version'
  /** Well-formed, but neither HTTP/1.0 nor HTTP/1.1. */
  | 'unsupported_version'
  | 'bad_status'
  | 'head_too_large'
  | 'too_many_fields';

/** Ways in which a head leaves open where its message ends (RFC 9112 §6). */
export type FramingFault =
  | 'bad_length'
  | 'several_lengths'
  | 'length_and_coding'
  /** Anything but exactly one `chunked`. */
  | 'unsupported_coding'
  | 'coding_in_http_1_0';

export type BodyFault =
  | 'bad_chunk_size'
  | 'chunk_too_large'
  | 'chunk_extension_too_large'
  /** A quoted string of an extension that its line ends within. */
  | 'open_quote'
  | 'bad_chunk_end'
  /** Of the trailer section. */
  | HeadFault;
