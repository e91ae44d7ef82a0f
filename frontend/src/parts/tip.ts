/** Words that appear beside it under the mouse or with the focus: <button {...tip('Zoom in')}>. One tooltip, of shell/Tips, serves all. */
export const tip = (words: string) => ({ 'data-tip': words });
