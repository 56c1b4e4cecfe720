/** Pictures that somebody took beside those that were asked for are called so. */
export const EXTRA = 'other';
