/** What may stand in a head, of strings. Expressions, since to look at the characters one by one costs twice as much. */

// None of them can backtrack.

/** Names of fields, and methods (RFC 9110 §5.6.2). */
export const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Field values and reason phrases: tab, space, visible and obs-text (RFC 9110 §5.5). */
export const TEXT = /^[\t\x20-\x7e\x80-\xff]*$/;

/** A request target, with characters beyond ASCII as they were received. */
export const TARGET = /^[!-~\x80-\xff]+$/;
