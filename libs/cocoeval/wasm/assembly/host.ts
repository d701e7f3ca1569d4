/** What is asked of the host. */

/** The number that stands as text from `start` to before `end`. */
export declare function parseNumber(start: usize, end: usize): f64;
