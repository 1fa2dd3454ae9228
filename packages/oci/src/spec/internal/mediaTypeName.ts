/** What a document may call a media type: it goes into headers and terminals, so visible characters and spaces only. */
export const mediaTypeName = /^[!-~][ -~]{0,254}$/
