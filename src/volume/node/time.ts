/**
 * A time for `utimes` and its like: seconds that Node turns into a timespec of exactly this microsecond when cut. Half a microsecond
 * is added because seconds as a double are good to a quarter of one, and a little less than the wanted microsecond would be the one
 * before. As text before 1970: Node takes a negative number for "now".
 */
export function timeOf(mtimeUs: number): number | string {
  const seconds = (mtimeUs + 0.5) / 1e6
  return seconds < 0 ? String(seconds) : seconds
}
