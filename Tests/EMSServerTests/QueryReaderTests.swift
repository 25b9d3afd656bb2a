import EMSCore
import HummingbirdCore
import Testing

@testable import EMSServer

@Suite("Reading query parameters")
struct QueryReaderTests {
    private static let q = QueryParameter.text("q", "")
    private static let tags = QueryParameter.text("tag", "", isRepeated: true)
    private static let count = QueryParameter.integer("count", "", -5...50, initially: 1)
    private static let unread = QueryParameter.boolean("unread", "")
    private static let startsAfter = QueryParameter.timestamp("start_after", "")
    private static let status = QueryParameter<Event.Status>.word("status", "")
    private static let near = QueryParameter.coordinates("near", "")
    private static let radius = QueryParameter.number("radius_km", "", upTo: 100, initially: 10)
    private static let declared: [ParameterDescription] =
        [q.description, tags.description, count.description, unread.description, startsAfter.description, status.description]
        + [near.description, radius.description] + PageParameters.descriptions

    private func reader(_ parameters: (String, String)...) -> QueryReader {
        QueryReader(FlatDictionary(parameters.map { (key: Substring($0.0), value: Substring($0.1)) }), declared: Self.declared)
    }

    private func fault(_ body: () throws -> Void) throws -> FieldError {
        let error = try #require(throws: EMSError.self) { try body() }
        return try #require(error.fields.first)
    }

    @Test("What is absent is nil, and so is an empty text; nothing else may be empty")
    func absence() throws {
        #expect(try fault { _ = try reader(("count", ""))(Self.count) }.type == "int_parsing")
        #expect(try fault { _ = try reader(("unread", ""))(Self.unread) }.type == "bool_parsing")
        let query = reader(("q", ""))
        #expect(try query(Self.q) == nil)
        #expect(try query.all(Self.tags).isEmpty)
        #expect(try query(Self.count) == nil)
        #expect(try query(Self.unread) == nil)
        #expect(try query(Self.startsAfter) == nil)
        #expect(try query(Self.near) == nil)
    }

    @Test("A text has at most 1000 characters")
    func longText() throws {
        #expect(try reader(("q", String(repeating: "x", count: 1000)))(Self.q)?.count == 1000)
        let fault = try fault { _ = try reader(("q", String(repeating: "x", count: 1001)))(Self.q) }
        #expect(fault.location == ["query", "q"])
    }

    @Test(
        "Whole numbers of the range are read, all else refused", arguments: ["x", "1.5", "0x10", "1e3", "99999999999999999999", "51", "-6"])
    func integers(text: String) throws {
        #expect(try reader(("count", "42"))(Self.count) == 42)
        #expect(try reader(("count", "-1"))(Self.count) == -1)
        let fault = try fault { _ = try reader(("count", text))(Self.count) }
        #expect(fault.location == ["query", "count"])
        #expect(fault.type == "int_parsing")
    }

    @Test("True and false are read", arguments: [("true", true), ("TRUE", true), ("1", true), ("false", false), ("0", false)])
    func booleans(text: String, value: Bool) throws {
        #expect(try reader(("unread", text))(Self.unread) == value)
        #expect(try fault { _ = try reader(("unread", "maybe"))(Self.unread) }.type == "bool_parsing")
    }

    @Test(
        "A time is read, also where the plus of its offset was not escaped",
        arguments: ["2026-03-01T09:00:00Z", "2026-03-01T11:00:00+02:00", "2026-03-01T11:00:00 02:00"])
    func timestamps(text: String) throws {
        #expect(try reader(("start_after", text))(Self.startsAfter) == Timestamp(milliseconds: 1_772_355_600_000))
        #expect(try fault { _ = try reader(("start_after", "soon"))(Self.startsAfter) }.type == "datetime_parsing")
    }

    @Test("Words of a list are read, others refused with the list")
    func words() throws {
        #expect(try reader(("status", "canceled"))(Self.status) == .canceled)
        #expect(try reader()(Self.status) == nil)
        let fault = try fault { _ = try reader(("status", "open"))(Self.status) }
        #expect(fault.type == "enum")
        #expect(fault.message.contains("scheduled, canceled, completed"))
    }

    @Test("A page is the first ten rows where nothing is said")
    func pages() throws {
        #expect(try reader().page() == PageRequest(number: 1, size: 10))
        #expect(try reader(("page", "3"), ("page_size", "50")).page() == PageRequest(number: 3, size: 50))
        #expect(try reader(("after", "k40.ab")).page() == PageRequest(number: 1, size: 10, after: .key(value: 40, id: "ab")))
        #expect(try fault { _ = try reader(("after", "nowhere")).page() }.location == ["query", "after"])
    }

    @Test("A place is latitude and longitude")
    func places() throws {
        #expect(try reader(("near", "50.9,-7.25"))(Self.near) == Coordinates(latitude: 50.9, longitude: -7.25))
        #expect(try reader(("radius_km", "2.5"))(Self.radius) == 2.5)
    }

    @Test("What is no place is refused", arguments: ["50.9", "50.9,", ",7", "50.9,7,1", "north,east", "50.9;7", "91,0", "0,-181", "nan,0"])
    func badPlaces(text: String) throws {
        #expect(try fault { _ = try reader(("near", text))(Self.near) }.location == ["query", "near"])
    }

    @Test("A radius is a number over 0", arguments: ["far", "0", "-1", "nan", "inf", "101"])
    func radii(text: String) throws {
        #expect(try fault { _ = try reader(("radius_km", text))(Self.radius) }.location == ["query", "radius_km"])
    }

    @Test("What may stand once is refused where it stands twice; what may be repeated, beyond a bound")
    func repetition() throws {
        #expect(try fault { _ = try reader(("q", "a"), ("q", "b"))(Self.q) }.type == "repeated")
        #expect(try reader(("tag", "a"), ("tag", "b"), ("tag", "")).all(Self.tags) == ["a", "b"])
        let many = FlatDictionary((0...20).map { (key: "tag"[...], value: "t\($0)"[...]) })
        #expect(try fault { _ = try QueryReader(many, declared: Self.declared).all(Self.tags) }.type == "repeated")
    }

    private static let operation = Operation(id: "test", tag: .events, summary: "", parameters: declared, answers: [])

    @Test("A query as it comes in a URL is unescaped")
    func escapes() throws {
        let reader = QueryReader(URI("/events?q=caf%C3%A9%20au+lait&near=1%2C2"), for: Self.operation)
        #expect(try reader(Self.q) == "café au lait")
        #expect(try reader(Self.near) == Coordinates(latitude: 1, longitude: 2))
    }

    @Test("A parameter that means nothing is refused with the closest that there is; those of others on the way are not")
    func unknown() throws {
        for (query, hint) in [
            ("statsu=canceled", "'status'"), ("starts_after=2026-01-01", "'start_after'"), ("status=canceled&something=1", "valid are"),
        ] {
            let fault = try fault { try QueryReader.refuseUnknown(in: URI("/events?" + query), of: Self.operation) }
            #expect(fault.type == "extra_forbidden" && fault.location.first == "query")
            #expect(fault.message.contains(hint), "\(fault.message)")
        }
        for query in ["", "_=1", "_x", "utm_source=a&status=canceled", "q=", "&&"] {
            try QueryReader.refuseUnknown(in: URI("/events?" + query), of: Self.operation)
        }
    }

    @Test("An escaped plus is a plus, not a space")
    func escapedPlus() throws {
        #expect(try QueryReader(URI("/events?tag=c%2B%2B"), for: Self.operation).all(Self.tags) == ["c++"])
    }
}
