/** What workers may be. */

/** More than any cluster starts for a step, and few enough for a line each. */
export const MOST_WORKERS = 65_536;

export const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65_535;

/** Seconds that a timer can wait. */
export const LONGEST_WAIT = 2_000_000;
