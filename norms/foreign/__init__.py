"""From the WSDL and XSD files of somebody else to a draft norm of ours: `poincon norms import`.

    gathering   the folder: files, their hashes, where a reference leads (never the network)
    wsdl        operations, payloads and headers that the WSDLs describe
    names       message kinds, prefixes and file names, the same for the same folder
    merging     one schema file per namespace out of includes, imports and inline schemas
    patterns, values, closing, samples    instances of the schemas: simple values, then whole elements
    messages    canonical envelopes, valid in both schema engines
    described, written, told    the files of the draft: WSDL, data, and what CHANGES.md says
    draft       all of it, in order, or nothing
    originals   the files as they were given, and whether they still are

Source: docs/formats/norm.md, "From the files of others".
"""
