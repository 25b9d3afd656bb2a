import EMSCore
import HummingbirdCore
import Testing

@testable import EMSServer

@Suite("Reading query parameters")
struct QueryReaderTests {
    private func reader(_ parameters: (String, String)...) -> QueryReader {
        QueryReader(FlatDictionary(parameters.map { (key: $0.0[...], value: $0.1[...]) }))
    }

    private func fault(_ body: () throws -> Void) throws -> FieldError {
        let error = try #require(throws: EMSError.self) { try body() }
        return try #require(error.fields.first)
    }

    @Test("What is absent or empty is nil")
    func absence() throws {
        let reader = reader(("q", ""))
        #expect(try reader.text("q") == nil)
        #expect(try reader.text("tag") == nil)
        #expect(try reader.integer("q") == nil)
        #expect(try reader.boolean("q") == nil)
        #expect(try reader.timestamp("q") == nil)
        #expect(try reader.area() == nil)
    }

    @Test("A text has at most 1000 characters")
    func longText() throws {
        #expect(try reader(("q", String(repeating: "x", count: 1000))).text("q")?.count == 1000)
        let fault = try fault { _ = try reader(("q", String(repeating: "x", count: 1001))).text("q") }
        #expect(fault.location == ["query", "q"])
    }

    @Test("Whole numbers are read, all else refused", arguments: ["x", "1.5", "0x10", "1e3", "99999999999999999999"])
    func integers(text: String) throws {
        #expect(try reader(("page", "42")).integer("page") == 42)
        #expect(try reader(("page", "-1")).integer("page") == -1)
        let fault = try fault { _ = try reader(("page", text)).integer("page") }
        #expect(fault.location == ["query", "page"])
        #expect(fault.type == "int_parsing")
    }

    @Test("True and false are read", arguments: [("true", true), ("TRUE", true), ("1", true), ("false", false), ("0", false)])
    func booleans(text: String, value: Bool) throws {
        #expect(try reader(("unread", text)).boolean("unread") == value)
        #expect(try fault { _ = try reader(("unread", "maybe")).boolean("unread") }.type == "bool_parsing")
    }

    @Test(
        "A time is read, also where the plus of its offset was not escaped",
        arguments: ["2026-03-01T09:00:00Z", "2026-03-01T11:00:00+02:00", "2026-03-01T11:00:00 02:00"])
    func timestamps(text: String) throws {
        #expect(try reader(("start_after", text)).timestamp("start_after") == Timestamp(milliseconds: 1_772_355_600_000))
        #expect(try fault { _ = try reader(("start_after", "soon")).timestamp("start_after") }.type == "datetime_parsing")
    }

    @Test("Words of a list are read, others refused with the list")
    func words() throws {
        #expect(try reader(("status", "canceled")).word("status", as: Event.Status.self) == .canceled)
        #expect(try reader().word("status", as: Event.Status.self) == nil)
        let fault = try fault { _ = try reader(("status", "open")).word("status", as: Event.Status.self) }
        #expect(fault.type == "enum")
        #expect(fault.message.contains("scheduled, canceled, completed"))
    }

    @Test("A page is the first ten rows where nothing is said")
    func pages() throws {
        #expect(try reader().page() == PageRequest(number: 1, size: 10))
        #expect(try reader(("page", "3"), ("page_size", "50")).page() == PageRequest(number: 3, size: 50))
        #expect(try reader(("after", "o40")).page() == PageRequest(number: 1, size: 10, after: .offset(40)))
        #expect(try fault { _ = try reader(("after", "nowhere")).page() }.location == ["query", "after"])
    }

    @Test("A place is latitude and longitude, with a radius of ten kilometres where nothing is said")
    func areas() throws {
        let center = Coordinates(latitude: 50.9, longitude: -7.25)
        #expect(try reader(("near", "50.9,-7.25")).area() == EventQuery.Area(center: center, radiusKilometres: 10))
        #expect(try reader(("near", "50.9,-7.25"), ("radius_km", "2.5")).area() == EventQuery.Area(center: center, radiusKilometres: 2.5))
    }

    @Test("What is no place is refused", arguments: ["50.9", "50.9,", ",7", "50.9,7,1", "north,east", "50.9;7"])
    func badAreas(text: String) throws {
        #expect(try fault { _ = try reader(("near", text)).area() }.location == ["query", "near"])
    }

    @Test("A radius needs a place, and is a number")
    func radii() throws {
        #expect(try fault { _ = try reader(("radius_km", "5")).area() }.location == ["query", "near"])
        #expect(try fault { _ = try reader(("near", "1,2"), ("radius_km", "far")).area() }.location == ["query", "radius_km"])
    }

    @Test("A query as it comes in a URL is unescaped")
    func escapes() throws {
        let reader = QueryReader(URI("/events?q=caf%C3%A9%20au+lait&near=1%2C2"))
        #expect(try reader.text("q") == "café au lait")
        #expect(try reader.area()?.center == Coordinates(latitude: 1, longitude: 2))
    }

    @Test("An escaped plus is a plus, not a space")
    func escapedPlus() throws {
        let reader = QueryReader(URI("/events?tag=c%2B%2B"))
        #expect(try reader.text("tag") == "c++")
    }
}
