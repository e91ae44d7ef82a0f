const format = new Intl.NumberFormat('en');

/** A number with its thousands apart. Lists call this; toLocaleString builds a format each time. */
export const figure = (n: number): string => format.format(n);
