/** Content that this process has written to temporary files so far, because it was too long for the memory. Only metrics read it. */
export const spooled = { files: 0, bytes: 0 };
