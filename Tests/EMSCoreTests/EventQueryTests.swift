import Testing

@testable import EMSCore

@Suite("Queries for events")
struct EventQueryTests {
    static let somewhere = EventQuery.Area(center: Coordinates(latitude: 50, longitude: 7), radiusKilometres: 10)

    private func found(_ query: EventQuery) throws -> [String] {
        try faults { try query.validate() }.map(\.place)
    }

    @Test("Too many tags are too many, also if they are the same one or empty")
    func tagCount() throws {
        for tag in ["a", ""] {
            try EventQuery(tags: [String](repeating: tag, count: EventQuery.tagCountLimit)).validate()
            #expect(throws: EMSError.self) {
                try EventQuery(tags: [String](repeating: tag, count: EventQuery.tagCountLimit + 1)).validate()
            }
        }
    }

    @Test("Without a wish, a text is ordered by relevance, a place by distance, all else by start time")
    func defaultOrder() {
        #expect(EventQuery().sort == .startTime)
        #expect(EventQuery(text: "x").sort == .relevance)
        #expect(EventQuery(area: Self.somewhere).sort == .distance)
        #expect(EventQuery(text: "x", area: Self.somewhere).sort == .relevance)
        #expect(EventQuery(text: "x", sort: .createdAt).sort == .createdAt)
    }

    @Test("Tags are asked for as they are stored")
    func tag() {
        #expect(EventQuery(tags: [" Swift ", "swift", "Talk"]).tags == ["swift", "talk"])
        #expect(EventQuery().tags.isEmpty)
    }

    @Test("Only texts, locations and places make a search")
    func searches() {
        #expect(!EventQuery().isSearch)
        #expect(!EventQuery(tags: ["a"], status: .scheduled, createdBy: "b", startsAfter: Timestamp(milliseconds: 0)).isSearch)
        #expect(EventQuery(text: "a").isSearch)
        #expect(EventQuery(location: "a").isSearch)
        #expect(EventQuery(area: Self.somewhere).isSearch)
    }

    @Test("Orders that need something to be measured by are refused without it")
    func orders() throws {
        #expect(try found(EventQuery(sort: .relevance)) == ["sort"])
        #expect(try found(EventQuery(sort: .distance)) == ["sort"])
        #expect(try found(EventQuery(text: "x", sort: .distance)) == ["sort"])
        #expect(try found(EventQuery(text: "x", sort: .relevance)) == [])
        #expect(try found(EventQuery(area: Self.somewhere, sort: .distance)) == [])
    }

    @Test("Every order has the name that clients use", arguments: EventQuery.Sort.allCases)
    func names(sort: EventQuery.Sort) {
        #expect(["start_time", "-start_time", "created_at", "-created_at", "relevance", "distance"].contains(sort.rawValue))
    }

    @Test(
        "A place lies on the earth",
        arguments: [(90, 180, true), (-90, -180, true), (90.1, 0, false), (0, 180.1, false), (.nan, 0, false), (0, -.infinity, false)]
            as [(Double, Double, Bool)])
    func places(latitude: Double, longitude: Double, isAccepted: Bool) throws {
        let area = EventQuery.Area(center: Coordinates(latitude: latitude, longitude: longitude), radiusKilometres: 1)
        #expect(try found(EventQuery(area: area)) == (isAccepted ? [] : ["near"]))
    }

    @Test(
        "A radius is positive and no longer than half the earth's circumference",
        arguments: [(0.001, true), (20_038, true), (0, false), (-1, false), (20_039, false), (.nan, false), (.infinity, false)]
            as [(Double, Bool)])
    func radii(kilometres: Double, isAccepted: Bool) throws {
        let area = EventQuery.Area(center: Coordinates(latitude: 0, longitude: 0), radiusKilometres: kilometres)
        #expect(try found(EventQuery(area: area)) == (isAccepted ? [] : ["radius"]))
    }

    @Test(
        "A page has 1 to 100 rows and a number from 1 on",
        arguments: [
            (1, 1, nil), (1, 100, nil), (100, 100, nil), (10_000, 1, nil), (1, 0, "page size"), (1, -1, "page size"),
            (1, 101, "page size"), (0, 10, "page"), (-1, 10, "page"), (101, 100, nil), (10_001, 1, nil), (.max, 100, nil),
            (.min, 100, "page"), (1, .max, "page size"),
        ] as [(Int, Int, String?)])
    func pages(number: Int, size: Int, fault: String?) throws {
        #expect(try found(EventQuery(page: PageRequest(number: number, size: size))) == (fault.map { [$0] } ?? []))
    }

    @Test("A page begins after the rows of those before")
    func offset() {
        #expect(PageRequest().offset == 0)
        #expect(PageRequest(number: 3, size: 20).offset == 40)
        #expect(PageRequest(number: .max, size: 100).offset == PageRequest.depthLimit)
        #expect(PageRequest(number: .min, size: .min).offset == 0)
    }
}
