import type { Section } from "./scenario.js"

export const manifests: Section = {
  title: "Manifests and content negotiation",
  rows: [
    ["M1", "One Accept header with all kinds, indexes first"],
    ["M2", "HEAD asks for the same kinds"],
    ["M3", "No child comes in place of an index, since both are asked for"],
    ["M4", "406, and lists asked for as JSON"],
    ["M5", "A Content-Type with parameters or in capitals"],
    ["M6", "A Content-Type that says nothing: the document decides"],
    ["M7", "A Content-Type that contradicts the document"],
    ["M8", "A document that could be two kinds is refused"],
    ["M9", "A document without a media type"],
    ["M10", "Schema versions other than 2"],
    ["M11", "Docker schema 1 is recognised, not read"],
    ["M12", "What is not known is kept, and never an error"],
    ["M13", "null and absent lists"],
    ["M14", "A descriptor's bounds"],
    ["M15", "Embedded data that is wrong is ignored"],
    ["M16", "A manifest that is too large is given up"],
    ["M18", "Choosing a platform"],
    ["M19", "Indexes within indexes, to a depth"],
    ["M21", "A config is read only where its type is known"],
    ["M22", "An artifact's type, stated or from its config"],
    ["M23", "304 to a manifest", "as P49"],
    ["M24", "Nothing adds parameters to the type of what is put"],
    ["M25", "A tag is resolved once; what follows goes by digest"],
    ["M26", "Docker's types sorted with those of OCI"],
    ["M27", "The artifact manifest that was withdrawn"]
  ]
}

export const referrers: Section = {
  title: "Referrers",
  rows: [
    ["R1", "The API's answer is final, also when it is empty"],
    ["R2", "404: the tag is read, and its absence means none"],
    ["R3", "404 because there is no such repository"],
    ["R4", "Other statuses of registries without the API, and which are none"],
    ["R5", "200 of another type is no answer of the API"],
    ["R6", "A redirect to another host is not followed"],
    ["R7", "Outages and throttling are errors, not “none”"],
    ["R8", "The name of the tag"],
    ["R10", "A tag that holds no index"],
    ["R11", "A registry that notes the subject"],
    ["R13", "A registry that does not say that it noted the subject"],
    ["R14", "A registry that noted another subject"],
    ["R15", "Writing the tag"],
    ["R16", "Nothing is listed twice"],
    ["R17", "What a referrer's descriptor says"],
    ["R18", "Cleaning a list while writing"],
    ["R19", "Two processes that write"],
    ["R20", "Twenty writers in one process"],
    ["R22", "Deleting a referrer"],
    ["R23", "Filtering by type, on either side"],
    ["R24", "The type in a query, every character escaped"],
    ["R25", "Pages, overlaps and loops"],
    ["R27", "Referrers of referrers"],
    ["R28", "What a list says of a referrer is a claim"],
    ["R29", "Referrers of what is not in the repository"],
    ["R30", "A subject of Docker's type"],
    ["R31", "The subject by any digest"],
    ["R32", "One 404 does not mean that the API is missing elsewhere"],
    ["R33", "Cosign's tags are not the fallback tag"],
    ["R34", "A page that is too large"]
  ]
}

export const listing: Section = {
  title: "Listing",
  rows: [
    ["L1", "A list of tags"],
    ["L2", "null for no tags"],
    ["L4", "Names that are no tags"],
    ["L5", "The grammar of Link"],
    ["L6", "Every form of a link's target"],
    ["L8", "A cursor byte for byte"],
    ["L9", "The end is where no link is, not where a page is short"],
    ["L10", "After a full page without a link, what comes after it is asked for"],
    ["L12", "Empty pages in between"],
    ["L13", "Links that lead back"],
    ["L14", "Pages without end, and readers that have enough"],
    ["L15", "More per page than the registry allows"],
    ["L16", "No tags wanted"],
    ["L17", "404 to a list"],
    ["L18", "A list of another Content-Type"],
    ["L19", "Fields of vendors in a list"],
    ["L20", "No order, and tags twice"],
    ["L21", "The catalog"],
    ["L22", "429 in the middle"],
    ["L23", "401 in the middle"],
    ["L24", "A page that is too large"]
  ]
}

export const deletion: Section = {
  title: "Delete",
  rows: [
    ["D1", "A manifest by digest"],
    ["D2", "A tag, and only the tag"],
    ["D3", "A tag by way of a manifest made for that"],
    ["D4", "Deleting is not allowed"],
    ["D5", "What Google's registries refuse to delete"],
    ["D6", "What zot refuses to delete"],
    ["D7", "There is nothing to delete"],
    ["D9", "A blob"],
    ["D10", "What is deleted may still be read for a while", "not the client's: nothing to do"],
    ["D11", "Locked"],
    ["D12", "The scopes it takes"],
    ["D13", "A deleted referrer leaves its subject's list"],
    ["D14", "By a digest of another algorithm than the registry's"]
  ]
}

export const errorBodies: Section = {
  title: "Error bodies",
  rows: [
    ["13c-1", "One error in the specification's shape"],
    ["13c-2", "Several errors"],
    ["13c-3", "No errors in the document"],
    ["13c-4", "null for errors"],
    ["13c-5", "A message that is missing or no text"],
    ["13c-6", "A detail of any shape and size"],
    ["13c-7", "A detail with a description (zot)"],
    ["13c-8", "Fields beside"],
    ["13c-9", "Details at the top (Docker Hub)"],
    ["13c-10", "A detail at the top (Django)"],
    ["13c-11", "A message or an error at the top (Gitea)"],
    ["13c-12", "OAuth's error and description"],
    ["13c-13", "Quay's own shape"],
    ["13c-14", "Errors without a code (Artifactory)"],
    ["13c-15", "Errors in no list, or in a list of texts"],
    ["13c-16", "A code of digits"],
    ["13c-17", "Plain text"],
    ["13c-18", "A web page, whatever it is called"],
    ["13c-19", "XML of a storage"],
    ["13c-20", "Nothing"],
    ["13c-21", "Other encodings, documents cut off, documents too large"],
    ["13c-22", "The length of a body that HEAD does not have"],
    ["13c-23", "Errors in a success"],
    ["13c-24", "Statuses that there are not"],
    ["13c-25", "A body that breaks off"]
  ]
}
