import * as Either from "effect/Either"
import type * as Descriptor from "effect-oci/Descriptor"
import * as Manifest from "effect-oci/Manifest"
import * as Reference from "effect-oci/Reference"
import { type Image, type TagList, toHash } from "./image.js"

type Child = Node | string

/** An element. Whatever a registry sends becomes text, never markup. */
const element = <Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>>,
  ...children: ReadonlyArray<Child>
): HTMLElementTagNameMap[Name] => {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children)
  return made
}

const code = (text: string) => element("code", {}, text)

const card = (title: string, ...children: ReadonlyArray<Child>) =>
  element("section", { class: "card" }, element("h2", {}, title), ...children)

/** `532 B`, `48.1 kB`, `1.2 GB`. */
const size = (bytes: number): string => {
  const units = ["B", "kB", "MB", "GB"]
  const step = Math.min(Math.max(Math.floor(Math.log10(bytes) / 3), 0), units.length - 1)
  return `${(bytes / 1000 ** step).toFixed(step === 0 ? 0 : 1)} ${units[step]}`
}

/** Names and what they are; those of which nothing is known are left out. */
const facts = (entries: ReadonlyArray<readonly [name: string, value: string | ReadonlyArray<string> | undefined]>) =>
  element(
    "dl",
    {},
    ...entries.flatMap(([name, value]) => {
      const values = value === undefined ? [] : typeof value === "string" ? [value] : value
      if (values.length === 0) return []
      const shown = values.length === 1 ? values.map(code) : [list(values.map((value) => [code(value)]))]
      return [element("dt", {}, name), element("dd", {}, ...shown)]
    })
  )

const list = (items: ReadonlyArray<ReadonlyArray<Child>>) =>
  element("ul", {}, ...items.map((item) => element("li", {}, ...item)))

const link = (text: string, href: string, current: boolean) =>
  element("a", current ? { href, "aria-current": "true" } : { href }, text)

const tagList = (reference: Reference.Reference, tags: TagList) =>
  element(
    "nav",
    { class: "card", "aria-label": "Tags" },
    element("h2", {}, "Tags"),
    ...Either.match(tags, {
      onLeft: ({ message }): ReadonlyArray<Child> => [element("p", { class: "faint" }, message)],
      onRight: ({ hasNext, tags }) => [
        list(
          tags.map((tag) => [link(tag, toHash({ text: `${reference.repository}:${tag}` }), tag === reference.target)])
        ),
        ...(hasNext ? [element("p", { class: "faint" }, "and more")] : [])
      ]
    })
  )

const manifestCard = ({ content, platform, platforms, reference, root }: Image) => {
  const chips = platforms.map((name) =>
    element("li", {}, link(name, toHash({ text: `${reference}`, platform: name }), name === platform))
  )
  const { digest, mediaType, size: bytes } = content.descriptor
  return card(
    "Manifest",
    ...(chips.length === 0 ? [] : [element("ul", { class: "platforms", "aria-label": "Platforms" }, ...chips)]),
    facts([
      ["Digest", digest],
      ["Media type", mediaType],
      ["Size", size(bytes)],
      ["Named by", root === content ? undefined : root.descriptor.digest],
      ["Annotations", "annotations" in content.manifest ? pairs(content.manifest.annotations) : []]
    ])
  )
}

const pairs = (record: Readonly<Record<string, unknown>> | undefined) =>
  Object.entries(record ?? {}).map(([key, value]) => `${key}=${value}`)

const layersCard = (layers: ReadonlyArray<Descriptor.Descriptor>) => {
  const total = size(layers.reduce((sum, layer) => sum + layer.size, 0))
  const head = element(
    "tr",
    {},
    element("th", { scope: "col" }, "Digest and media type"),
    element("th", { scope: "col", class: "number" }, "Size")
  )
  const rows = layers.map((layer) =>
    element(
      "tr",
      {},
      element("td", {}, code(layer.digest), element("p", { class: "faint" }, layer.mediaType)),
      element("td", { class: "number" }, size(layer.size))
    )
  )
  return card(
    `Layers: ${layers.length}, ${total}`,
    element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows))
  )
}

const configCard = ({ config, content }: Image) => {
  if (!Manifest.isImage(content.manifest)) return []
  if (config === undefined) return [card("Config", facts([["Media type", content.manifest.config.mediaType]]))]
  const { config: execution = {} } = config
  return [
    card(
      "Config",
      facts([
        ["Platform", [config.os, config.architecture, config.variant].filter((part) => part).join("/")],
        ["Created", config.created],
        ["Author", config.author],
        ["User", execution.User],
        ["Folder", execution.WorkingDir],
        ["Entry point", execution.Entrypoint?.join(" ")],
        ["Command", execution.Cmd?.join(" ")],
        ["Environment", execution.Env],
        ["Ports", Object.keys(execution.ExposedPorts ?? {})],
        ["Labels", pairs(execution.Labels)],
        ["History", config.history?.flatMap(({ created_by }) => created_by ?? [])]
      ])
    )
  ]
}

export const image = (image: Image, tags: TagList): ReadonlyArray<Node> => {
  const { manifest } = image.content
  return [
    element("h2", { class: "wide" }, Reference.familiar(image.reference)),
    tagList(image.reference, tags),
    element(
      "div",
      { class: "cards" },
      manifestCard(image),
      ...(Manifest.isImage(manifest) ? [layersCard(manifest.layers)] : []),
      ...configCard(image)
    )
  ]
}

export const waiting = (text: string): ReadonlyArray<Node> => [
  element("p", { class: "wide faint" }, `Asking for ${text} …`)
]

/** A failure of the library says by itself what happened, and what may help. */
export const failed = (message: string): ReadonlyArray<Node> => [
  element("p", { class: "wide card wrong", role: "alert" }, message)
]
