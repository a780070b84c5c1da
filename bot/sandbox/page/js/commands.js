// Slash commands as they are picked: subcommands each on their own, and found by what is typed.

/** Return everything that can be picked: `{command, path, name, description, options}`. */
export function callable(commands) {
  return commands.flatMap((command) => spread(command, command, []));
}

function spread(command, part, path) {
  const inner = (part.options ?? []).filter((option) => option.type === 1 || option.type === 2);
  if (inner.length) return inner.flatMap((option) => spread(command, option, [...path, option.name]));
  const name = [command.name, ...path].join(" ");
  return [{ command, path, name, description: part.description, options: part.options ?? [] }];
}

/** Return those that fit what was typed after the slash, the best first. */
export function matching(calls, typed) {
  const wanted = typed.trim().toLowerCase();
  const rank = (call) => {
    if (call.name.startsWith(wanted)) return 0;
    if (call.name.includes(wanted)) return 1;
    return call.description.toLowerCase().includes(wanted) ? 2 : 3;
  };
  return calls
    .filter((call) => rank(call) < 3)
    .sort((one, other) => rank(one) - rank(other) || one.name.localeCompare(other.name));
}
