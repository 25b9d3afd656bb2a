/// What an event must be to be accepted. Lengths are counted in Unicode scalars, as most clients do.
public enum EventRules {
    public static let titleLimit = 100
    public static let descriptionLimit = 10_000
    public static let locationLimit = 200
    public static let tagLimit = 50
    public static let tagCountLimit = 20
    public static let attachmentURLLimit = 2000
    public static let attendeeLimit = 10_000_000

    /// The draft as it will be stored: white space around texts gone, tags in lower case and each once.
    /// - Parameter startsAfter: the moment before which the event must not start; `nil` where it is not new.
    /// - Throws: ``EMSError`` that lists everything that is wrong.
    public static func accepted(_ draft: EventDraft, startsAfter now: Timestamp?) throws -> EventDraft {
        var draft = draft
        var faults = FieldFaults()
        draft.title = TextRules.trimmed(draft.title)
        draft.location = TextRules.trimmed(draft.location)
        faults.check("title", draft.title, length: 1...titleLimit)
        faults.check("description", draft.description, length: 0...descriptionLimit, multiline: true)
        faults.check("location", draft.location, length: 0...locationLimit)
        draft.tags = acceptedTags(draft.tags, &faults)
        if draft.endTime <= draft.startTime {
            faults.add("end_time", "must be after start_time")
        }
        if let now, draft.startTime < now {
            faults.add("start_time", "must not be in the past (it is \(now) now)")
        }
        if let attendees = draft.maxAttendees, !(1...attendeeLimit).contains(attendees) {
            faults.add("max_attendees", "must be between 1 and \(attendeeLimit)", type: "out_of_range")
        }
        if let url = draft.attachmentURL { check(attachmentURL: url, &faults) }
        if let place = draft.coordinates {
            if !(-90...90).contains(place.latitude) {
                faults.add("coordinates.latitude", "must be between -90 and 90", type: "out_of_range")
            }
            if !(-180...180).contains(place.longitude) {
                faults.add("coordinates.longitude", "must be between -180 and 180", type: "out_of_range")
            }
        }
        if let origin = draft.origin {
            faults.check("external_id", origin.key, length: 1...EventOrigin.keyLimit)
            if origin.properties.utf8.count > EventOrigin.propertiesLimit {
                faults.add("external_properties", "must have at most \(EventOrigin.propertiesLimit) bytes", type: "string_too_long")
            }
        }
        try faults.finish()
        return draft
    }

    /// A tag as it is stored and searched for.
    public static func canonicalTag(_ tag: String) -> String {
        TextRules.trimmed(tag).lowercased().normalized
    }

    /// The tags of a text in which commas separate them. Each comma does, also one before a combining mark, which with that is another
    /// character.
    public static func tags(in text: String) -> [String] {
        text.utf8.split(separator: UInt8(ascii: ",")).map { String(Substring($0)) }
    }

    private static func acceptedTags(_ tags: [String], _ faults: inout FieldFaults) -> [String] {
        var seen: Set<String> = []
        var accepted: [String] = []
        if tags.count > tagCountLimit { faults.add("tags", "must be at most \(tagCountLimit)", type: "too_long") }
        for (index, tag) in tags.prefix(tagCountLimit).enumerated() {
            guard tag.isStreamSafe else {
                faults.check("tags.\(index)", tag, length: 1...tagLimit)
                continue
            }
            let tag = canonicalTag(tag)
            faults.check("tags.\(index)", tag, length: 1...tagLimit)
            if tag.utf8.contains(UInt8(ascii: ",")) { faults.add("tags.\(index)", "must not hold a comma") }
            if seen.insert(tag).inserted { accepted.append(tag) }
        }
        return accepted
    }

    private static func check(attachmentURL url: String, _ faults: inout FieldFaults) {
        guard url.utf8.count <= 4 * attachmentURLLimit else {
            return faults.add("attachment_url", "must have at most \(attachmentURLLimit) characters", type: "string_too_long")
        }
        guard WebURL.isValid(url) else {
            return faults.add("attachment_url", "must be an http or https URL", type: "url_parsing")
        }
        faults.check("attachment_url", url, length: 1...attachmentURLLimit)
    }
}
