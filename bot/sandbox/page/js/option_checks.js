// What Discord's client checks before it sends the value of an option.

export const Kind = { STRING: 3, INTEGER: 4, BOOLEAN: 5, USER: 6, CHANNEL: 7, ROLE: 8, MENTIONABLE: 9, NUMBER: 10, ATTACHMENT: 11 };

const LONGEST = 6000;

/** Return what is wrong with a text typed for an option, or null. */
export function problemOf(option, text) {
  if (!text) return option.required ? "This option is required. Specify a value." : null;
  if (option.type === Kind.STRING) return lengthProblem(option, text);
  if (option.type === Kind.INTEGER || option.type === Kind.NUMBER) return numberProblem(option, text);
  return null;
}

function lengthProblem(option, text) {
  const most = option.max_length ?? LONGEST;
  const least = option.min_length ?? 0;
  const length = [...text].length;
  if (length > most) return `Must be ${most} or fewer in length (now ${length}).`;
  return length < least ? `Must be ${least} or more in length.` : null;
}

function numberProblem(option, text) {
  const whole = option.type === Kind.INTEGER;
  const fits = whole ? /^-?\d+$/ : /^-?(\d+\.?\d*|\.\d+)$/;
  if (!fits.test(text.trim())) return whole ? "Enter a valid whole number." : "Enter a valid number.";
  const value = Number(text);
  const low = option.min_value ?? -Number.MAX_SAFE_INTEGER;
  const high = option.max_value ?? Number.MAX_SAFE_INTEGER;
  if (value >= low && value <= high) return null;
  if (option.min_value == null) return `Enter a number of ${high} or less.`;
  return option.max_value == null ? `Enter a number of ${low} or more.` : `Enter a number from ${low} to ${high}.`;
}

/** Return in words what an option takes beyond its description, or an empty text. */
export function limitsOf(option) {
  if (option.type === Kind.STRING && option.max_length) return `up to ${option.max_length} characters`;
  if (option.min_value != null && option.max_value != null) return `${option.min_value} to ${option.max_value}`;
  return option.type === Kind.ATTACHMENT ? "choose, paste or drop a file" : "";
}
