import EMSCore

/// A list of events along one index: filtered by what the index begins with, ordered by how it goes on.
struct EventListing {
    private let query: EventQuery

    init(_ query: EventQuery) {
        self.query = query
    }

    private var field: String { query.orderedBy }

    func run(in connection: MongoConnection) throws -> EventPage {
        let found = try connection.find(
            .events, where: pageFilter, options: pageOptions, from: .url, EventDocument.living)
        return EventPage(found, of: query, total: try query.page.total(ifAllOf: found.count) ?? total(in: connection))
    }

    /// The index that gives the order: it begins with the first of tag, creator and status that is asked for. The others are looked at
    /// in each document.
    private var index: String {
        let kind = query.isByCreation ? "created" : "start"
        if !query.tags.isEmpty { return "events_tag_\(kind)" }
        if query.createdBy != nil { return "events_creator_\(kind)" }
        if query.status != nil { return "events_status_\(kind)" }
        return "events_\(kind)"
    }

    private func pageOptions(_ options: inout BSONWriter) {
        let direction = query.isDescending ? -1 : 1
        options.document("sort") {
            $0.member(field, direction)
            $0.member("_id", direction)
        }
        options.member("limit", query.page.limit)
        if query.page.after == nil { options.member("skip", query.page.offset) }
        options.member("hint", index)
    }

    private func pageFilter(_ filter: inout BSONWriter) {
        if query.tagLists.count == 1, query.page.after == nil { return self.filter(&filter, query.tagLists[0], range) }
        // Stretches of the index that the server merges, since each is in order by itself.
        filter.array("$or") { stretches in
            for tags in query.tagLists { add(tags, to: &stretches) }
        }
    }

    private func add(_ tags: [String], to stretches: inout BSONArrayWriter) {
        guard let (value, id) = query.page.start.after else {
            return stretches.document { filter(&$0, tags, range) }
        }
        // After a cursor there are two: the rest of the equal values, and what comes after them.
        let place = Timestamp(milliseconds: value)
        let comparison = query.isDescending ? "$lt" : "$gt"
        stretches.document { stretch in
            filter(&stretch, tags) { $0.member(field, place) }
            stretch.document("_id") { $0.member(comparison, id) }
        }
        stretches.document { stretch in
            filter(&stretch, tags) { beyond in
                beyond.document(field) { bounds in
                    self.bounds(&bounds, after: query.isDescending ? nil : place, before: query.isDescending ? place : nil)
                }
            }
        }
    }

    /// What must hold for every event of the list, and `position` for the field that orders it.
    private func filter(_ filter: inout BSONWriter, _ tags: [String], _ position: (inout BSONWriter) -> Void) {
        if let first = tags.first { filter.member("tags", first) }
        if tags.count > 1 {
            filter.array("$and") { others in
                for tag in tags.dropFirst() { others.document { $0.member("tags", tag) } }
            }
        }
        if let creator = query.createdBy { filter.member("created_by", creator) }
        if let status = query.status { filter.member("status", status.rawValue) }
        position(&filter)
        if query.isByCreation, query.startsAfter != nil || query.startsBefore != nil {
            filter.document("start_time") { self.limits(&$0) }
        }
    }

    private func countFilter(_ filter: inout BSONWriter) {
        if query.tagLists.count == 1 { return self.filter(&filter, query.tags, range) }
        filter.document("tags") { $0.array("$in", query.tags) }
        self.filter(&filter, [], range)
    }

    private func range(_ filter: inout BSONWriter) {
        filter.document(field) { bounds(&$0, after: nil, before: nil) }
    }

    /// Dates only: a tombstone has no date, and so is in no list.
    private func bounds(_ writer: inout BSONWriter, after: Timestamp?, before: Timestamp?) {
        let lower = !query.isByCreation ? query.startsAfter : nil
        let upper = !query.isByCreation ? query.startsBefore : nil
        if let after, lower.map({ after >= $0 }) ?? true {
            writer.member("$gt", after)
        } else {
            writer.member("$gte", lower ?? Timestamp(milliseconds: .min))
        }
        if let limit = [before, upper].compactMap({ $0 }).min() { writer.member("$lt", limit) }
    }

    private func limits(_ writer: inout BSONWriter) {
        if let after = query.startsAfter { writer.member("$gte", after) }
        if let before = query.startsBefore { writer.member("$lt", before) }
    }

    /// The collection's own count where nothing is filtered; otherwise counted along the index, up to a bound.
    private func total(in connection: MongoConnection) throws -> Total {
        if !query.isFiltered {
            let recorded = try connection.recordedCount(.events, from: .url)
            let buried = try connection.count(
                .events, where: { $0.member("is_deleted", true) }, hint: "events_tombstones", upTo: PageRequest.countLimit, from: .url)
            return Total(count: max(0, recorded - buried))
        }
        let bound = PageRequest.countLimit
        let count = try connection.count(.events, where: countFilter, hint: index, upTo: bound + 1, from: .url)
        return Total(count: min(count, bound), isExact: count <= bound)
    }
}
