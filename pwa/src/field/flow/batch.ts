/** So many beeps or entries a capture carries; who has more saves a part and goes on. */
export const MOST = 50;
