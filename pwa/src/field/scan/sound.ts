/** Says without looking whether a scan was right: high and short, or low, long and with a shake. */

let context: AudioContext | null = null;

export function sound(right: boolean): void {
  if (!right) navigator.vibrate?.([120, 60, 120]);
  try {
    context ??= new AudioContext();
    const tone = context.createOscillator();
    const volume = context.createGain();
    const until = context.currentTime + (right ? 0.09 : 0.45);
    tone.frequency.value = right ? 1_400 : 220;
    tone.type = right ? 'sine' : 'square';
    volume.gain.setValueAtTime(0.25, context.currentTime);
    volume.gain.exponentialRampToValueAtTime(0.001, until);
    tone.connect(volume).connect(context.destination);
    tone.start();
    tone.stop(until);
  } catch {
    // A phone without sound shows the same in words.
    context = null;
  }
}
