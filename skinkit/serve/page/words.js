/** Numbers and classes in words. */

const NAMES = {
  ak: "actinic keratosis",
  akiec: "actinic keratosis or Bowen's disease",
  bcc: "basal cell carcinoma",
  bkl: "benign keratosis",
  df: "dermatofibroma",
  mel: "melanoma",
  nv: "nevus",
  scc: "squamous cell carcinoma",
  unk: "unknown",
  vasc: "vascular lesion",
};

export const className = (label) => NAMES[String(label).toLowerCase()] ?? String(label);

export const percent = (share) => `${(100 * share).toFixed(1)}\u00a0%`;

export const images = (count) => (count === 1 ? "1 image" : `${count} images`);

/** A time in words, never shorter than it is. */
export function duration(seconds) {
  const [unit, length] = seconds > 7200 ? ["hour", 3600] : ["minute", 60];
  return Math.ceil(seconds / length).toLocaleString("en", { style: "unit", unit, unitDisplay: "long" });
}

/** A score as it is printed everywhere: three digits, a dash where it is not known. */
export const score = (value) => (Number.isFinite(value) ? value.toFixed(3) : "–");

export const withInterval = ({ value, low, high }) =>
  Number.isFinite(low) && Number.isFinite(high) ? `${score(value)} (${score(low)} to ${score(high)})` : score(value);
