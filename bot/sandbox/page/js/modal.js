// Forms that the bot opens: fields prefilled and checked as Discord's client does.

import { encoded } from "./api.js";
import { avatar } from "./avatar.js";
import { freshId, h } from "./dom.js";
import { icon } from "./icons.js";
import { markdown } from "./markdown.js";
import { optionsOf } from "./select_options.js";
import { names, store } from "./store.js";

const TEXT_LENGTH = 4000;

/** Show the form that an interaction was answered with. */
export function openModal(interaction) {
  const fields = [];
  const title = freshId("modal");
  const trouble = h("p", { class: "trouble", role: "alert" });
  const send = h("button", { type: "submit", class: "button primary" }, "Submit");
  const body = interaction.modal.components.flatMap((component) => partOf(component, fields));
  const box = h("dialog", { class: "box modal", "aria-labelledby": title, onclose: () => box.remove() });
  const form = h(
    "form",
    { novalidate: true },
    h("header", {}, avatar(store.bot), h("h2", { id: title }, interaction.modal.title), closeButton(box)),
    h("div", { class: "scroll" }, body, trouble),
    h("footer", {}, h("button", { type: "button", class: "button ghost", onclick: () => box.close() }, "Cancel"), send),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const wrong = fields.filter((field) => !field.check());
    if (wrong.length) {
      wrong[0].focus();
      return;
    }
    send.setAttribute("aria-busy", "true");
    const body = { modal: interaction.id, values: {}, attachments: {} };
    for (const field of fields) Object.assign(field.files ? body.attachments : body.values, { [field.id]: await field.value() });
    box.close();
    const answer = await store.ask("modal", body, { label: interaction.modal.title, messageId: interaction.source_message_id });
    if (answer?.modal) openModal(answer);
  });
  box.append(form);
  document.body.append(box);
  box.showModal();
  fields[0]?.focus();
}

function closeButton(box) {
  return h("button", { type: "button", class: "icon-button", "aria-label": "Close", onclick: () => box.close() }, icon("close"));
}

function partOf(component, fields) {
  if (component.type === 1) return component.components.flatMap((inside) => labelled(inside, inside.label, null, fields));
  if (component.type === 18) return labelled(component.component, component.label, component.description, fields);
  if (component.type === 10) return h("div", { class: "markdown" }, markdown(component.content ?? "", names));
  return [];
}

function labelled(component, label, description, fields) {
  const make = { 4: textField, 19: fileField, 21: radioField, 22: checksField, 23: checkField }[component.type] ?? selectField;
  const id = freshId("field");
  const required = component.required ?? component.type !== 23;
  const trouble = h("span", { class: "trouble", id: `${id}-trouble` });
  const field = make(component, id);
  field.id = component.custom_id;
  const base = field.problem;
  field.check = () => {
    const problem = base(required);
    trouble.textContent = problem ?? "";
    field.control.setAttribute("aria-invalid", String(Boolean(problem)));
    return !problem;
  };
  field.focus = () => (field.control.matches("input,select,textarea") ? field.control : field.control.querySelector("input"))?.focus();
  field.control.setAttribute("aria-describedby", description ? `${id}-trouble ${id}-about` : `${id}-trouble`);
  fields.push(field);
  const grouped = field.control.getAttribute("role") === "group" || field.control.getAttribute("role") === "radiogroup";
  const heading = h(grouped ? "span" : "label", grouped ? { id: `${id}-label`, class: "label" } : { for: id, class: "label" }, label ?? "", required && component.type !== 23 && h("span", { class: "star", title: "required" }, " *"));
  if (grouped) field.control.setAttribute("aria-labelledby", `${id}-label`);
  return h("div", { class: "form-field" }, heading, description && h("small", { id: `${id}-about` }, description), field.control, h("div", { class: "under" }, trouble, field.extra));
}

function textField(input, id) {
  const most = input.max_length ?? TEXT_LENGTH;
  const least = input.min_length ?? 0;
  const control = h(input.style === 2 ? "textarea" : "input", { id, placeholder: input.placeholder, rows: input.style === 2 ? "4" : null, autocomplete: "off" });
  control.value = input.value ?? "";
  const extra = h("span", { class: "counter" });
  const count = () => {
    extra.textContent = `${control.value.length} / ${most}`;
    extra.classList.toggle("over", control.value.length > most);
  };
  control.addEventListener("input", count);
  count();
  const problem = (required) => {
    const { length } = control.value;
    if (!length) return required ? "This field is required" : null;
    if (length > most) return `Must be ${most} or fewer in length.`;
    return length < least ? `Must be ${least} or more in length.` : null;
  };
  return { control, extra, problem, value: () => control.value };
}

function selectField(select, id) {
  const options = optionsOf(select);
  if ((select.max_values ?? 1) > 1) return checksField({ ...select, options }, id);
  const control = h("select", { id }, h("option", { value: "" }, select.placeholder ?? "Make a selection"));
  for (const option of options) control.append(h("option", { value: option.value, selected: option.default }, option.label));
  return {
    control,
    problem: (required) => (required && !control.value ? "This field is required" : null),
    value: () => (control.value ? [control.value] : []),
  };
}

function boxes(field, id, type) {
  return (field.options ?? []).map((option) => {
    const control = h("input", { type, name: id, value: option.value, checked: option.default });
    return h("label", { class: "check" }, control, h("span", {}, option.label, option.description && h("small", {}, option.description)));
  });
}

const ticked = (control) => [...control.querySelectorAll("input:checked")].map((one) => one.value);

function checksField(field, id) {
  const control = h("div", { role: "group", id, class: "checks" }, boxes(field, id, "checkbox"));
  const least = field.min_values ?? 1;
  const most = field.max_values ?? (field.options ?? []).length;
  const problem = (required) => {
    const { length } = ticked(control);
    if (length < (required ? least : 0)) return least > 1 ? `Choose at least ${least}.` : "This field is required";
    return length > most ? `Choose at most ${most}.` : null;
  };
  return { control, problem, value: () => ticked(control) };
}

function radioField(field, id) {
  const control = h("div", { role: "radiogroup", id, class: "checks" }, boxes(field, id, "radio"));
  const problem = (required) => (required && !ticked(control).length ? "This field is required" : null);
  return { control, problem, value: () => ticked(control)[0] ?? null };
}

function checkField(field, id) {
  const control = h("input", { type: "checkbox", id, checked: field.default });
  return { control, problem: () => null, value: () => control.checked };
}

function fileField(field, id) {
  const most = field.max_values ?? 1;
  const control = h("input", { type: "file", id, multiple: most > 1 });
  const problem = (required) => {
    if (required && control.files.length < (field.min_values ?? 1)) return "This field is required";
    return control.files.length > most ? `Choose at most ${most}.` : null;
  };
  return { control, problem, files: true, value: () => Promise.all([...control.files].map(encoded)) };
}
