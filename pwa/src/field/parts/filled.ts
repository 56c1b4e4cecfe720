/** Fields of a form that must not be left empty. */

/** Have a field that was left empty say so in these words: the browser's are in its own language. */
export function filled(words: string): (field: HTMLInputElement) => () => void {
  return (field) => {
    const judge = (): void => field.setCustomValidity(field.value.trim() === '' ? words : '');
    judge();
    field.addEventListener('input', judge);
    return () => field.removeEventListener('input', judge);
  };
}
