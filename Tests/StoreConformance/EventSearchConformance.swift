import EMSCore
import Testing

/// What every ``EventStore`` finds by text and place.
public enum EventSearchConformance {
    public static let cases: [ConformanceCase] = text + place

    private static let text: [ConformanceCase] = [
        ConformanceCase("A word is found in title, description, location and tags, by its beginning, in any letter case") { fixture in
            try await fixture.add(Samples.event("Swift evening", start: 1))
            try await fixture.add(Samples.event("a", description: "about SWIFTNESS", start: 2))
            try await fixture.add(Samples.event("b", location: "Swiftstreet 1", start: 3))
            try await fixture.add(Samples.event("c", start: 4, tags: ["swift"]))
            try await fixture.add(Samples.event("unswift", start: 5))
            for text in ["swift", "SWI", "sw"] {
                let page = try await fixture.stores.events.events(EventQuery(text: text, sort: .startTime))
                #expect(page.events.map(\.title) == ["Swift evening", "a", "b", "c"], "\(text)")
                #expect(page.total == Total(count: 4))
            }
        },
        ConformanceCase("Accents make no difference, neither in the text nor in the event") { fixture in
            try await fixture.add(Samples.event("Fête à Zürich", start: 1))
            try await fixture.add(Samples.event("Fete a Zurich", start: 2))
            for text in ["fête", "FETE", "zuri", "Zürich", "zu\u{308}rich"] {
                let page = try await fixture.stores.events.events(EventQuery(text: text, sort: .startTime))
                #expect(page.events.map(\.title) == ["Fête à Zürich", "Fete a Zurich"], "\(text)")
            }
        },
        ConformanceCase("All words must match, in any order and any field") { fixture in
            try await fixture.add(Samples.event("Jazz night", location: "Cologne"))
            try await fixture.add(Samples.event("Jazz morning", location: "Berlin"))
            #expect(try await titles(EventQuery(text: "cologne jazz"), fixture) == ["Jazz night"])
            #expect(try await titles(EventQuery(text: "jazz night berlin"), fixture).isEmpty)
            #expect(try await titles(EventQuery(text: "jazz"), fixture).count == 2)
        },
        ConformanceCase("Characters and words of query languages are only text") { fixture in
            try await fixture.add(Samples.event("Rock AND Roll", description: "near title: OR not"))
            try await fixture.add(Samples.event("Plain"))
            let found = [
                "rock AND", "rock-roll", "\"rock", "roll\"", "rock*", "(rock)", "title:", "NEAR", "OR", "NOT", "rock' --", "{rock}",
            ]
            for text in found {
                #expect(try await titles(EventQuery(text: text), fixture) == ["Rock AND Roll"], "\(text)")
            }
            let notFound = [
                "", "\"", "*", "()", "'; DROP TABLE events; --", "plain OR rock", "plain NOT rock", "description : plain", "^*:^", "\0",
                "NEAR(rock plain, 5)", "$where", "🎉", "\\", "{\"$gt\": \"\"}",
            ]
            for text in notFound {
                let page = try await fixture.stores.events.events(EventQuery(text: text))
                #expect(page.events.isEmpty && page.total == Total(count: 0) && page.next == nil, "\(text)")
            }
            #expect(try await fixture.stores.events.events(EventQuery()).total == Total(count: 2))
        },
        ConformanceCase("A title that holds the word is more relevant than a description that does") { fixture in
            for index in 0..<5 { try await fixture.add(Samples.event("filler \(index)", description: "something else")) }
            let inTitle = try await fixture.add(Samples.event("Chess", description: "an evening for all"))
            let inText = try await fixture.add(Samples.event("Evening", description: "there will be chess"))
            let page = try await fixture.stores.events.events(EventQuery(text: "chess"))
            #expect(page.events.map(\.id) == [inTitle.id, inText.id])
        },
        ConformanceCase("A changed event is found by its new words and not by its old ones") { fixture in
            let event = try await fixture.add(Samples.event("Opera", location: "Milan", tags: ["verdi"]))
            let updated = Samples.edited(event) {
                $0.title = "Ballet"
                $0.location = "Moscow"
                $0.tags = ["tchaikovsky"]
            }
            try await fixture.stores.events.update(updated, expecting: 1, change: Samples.change(.updated, updated))
            for text in ["opera", "milan", "verdi"] { #expect(try await titles(EventQuery(text: text), fixture).isEmpty, "\(text)") }
            for text in ["ballet", "moscow", "tchai"] {
                #expect(try await titles(EventQuery(text: text), fixture) == ["Ballet"], "\(text)")
            }
        },
        ConformanceCase("A location is searched in the location only") { fixture in
            try await fixture.add(Samples.event("Here", location: "Town Hall, Köln"))
            try await fixture.add(Samples.event("Köln talk", location: "Berlin"))
            #expect(try await titles(EventQuery(location: "koln"), fixture) == ["Here"])
            #expect(try await titles(EventQuery(location: "hall köl"), fixture) == ["Here"])
            #expect(try await titles(EventQuery(text: "talk", location: "berlin"), fixture) == ["Köln talk"])
            #expect(try await titles(EventQuery(text: "talk", location: "köln"), fixture).isEmpty)
            #expect(try await titles(EventQuery(location: "title : here"), fixture).isEmpty)
        },
        ConformanceCase("A search is narrowed by tag, status, creator and time") { fixture in
            try await fixture.add(Samples.event("match one", start: 1, by: "operator:a", tags: ["x", "y"]))
            try await fixture.add(Samples.event("match two", start: 2, by: "operator:b", tags: ["x"], status: .canceled))
            try await fixture.add(Samples.event("match three", start: 3, by: "operator:a", tags: ["xy"]))
            func found(_ query: EventQuery) async throws -> [String] {
                var query = query
                query.text = "match"
                return try await titles(query, fixture)
            }
            #expect(try await found(EventQuery(tags: ["X"])) == ["match one", "match two"])
            #expect(try await found(EventQuery(status: .canceled)) == ["match two"])
            #expect(try await found(EventQuery(createdBy: "operator:a")) == ["match one", "match three"])
            #expect(try await found(EventQuery(startsAfter: Samples.hour(2))) == ["match two", "match three"])
            #expect(try await found(EventQuery(startsBefore: Samples.hour(2))) == ["match one"])
            #expect(try await found(EventQuery(tags: ["x"], createdBy: "operator:b", sort: .startTimeDescending)) == ["match two"])
        },
        ConformanceCase("Search results come in the order asked for, page by page without gap or repeat") { fixture in
            for index in 0..<7 {
                try await fixture.add(Samples.event("match \(index)", start: index, createdAt: Samples.hour(-index)))
            }
            let ascending = (0..<7).map { "match \($0)" }
            let orders: [(EventQuery.Sort, [String])] = [
                (.startTime, ascending), (.startTimeDescending, ascending.reversed()), (.createdAt, ascending.reversed()),
                (.createdAtDescending, ascending),
            ]
            for (sort, expected) in orders {
                var (query, read) = (EventQuery(text: "match", sort: sort, page: PageRequest(size: 3)), [String]())
                repeat {
                    let page = try await fixture.stores.events.events(query)
                    #expect(page.total == Total(count: 7))
                    read += page.events.map(\.title)
                    query.page.after = page.next
                    if read.count > 7 { break }
                } while query.page.after != nil
                #expect(read == expected, "\(sort)")
                let second = EventQuery(text: "match", sort: sort, page: PageRequest(number: 2, size: 3))
                #expect(try await titles(second, fixture) == Array(expected[3..<6]))
            }
        },
    ]

    private static let cologne = Coordinates(latitude: 50.9413, longitude: 6.9583)

    private static let place: [ConformanceCase] = [
        ConformanceCase("What lies within the radius is found, the nearest first; what has no place is not") { fixture in
            try await fixture.add(Samples.event("Bonn", at: Coordinates(latitude: 50.7374, longitude: 7.0982)))
            try await fixture.add(Samples.event("Cathedral", at: Coordinates(latitude: 50.9413, longitude: 6.9583)))
            try await fixture.add(Samples.event("Düsseldorf", at: Coordinates(latitude: 51.2277, longitude: 6.7735)))
            try await fixture.add(Samples.event("Berlin", at: Coordinates(latitude: 52.52, longitude: 13.405)))
            try await fixture.add(Samples.event("Nowhere"))
            // From the cathedral it is about 25 km to Bonn, 34 km to Düsseldorf, 477 km to Berlin.
            let expected: [(Double, [String])] = [
                (1, ["Cathedral"]), (30, ["Cathedral", "Bonn"]), (40, ["Cathedral", "Bonn", "Düsseldorf"]),
                (20_038, ["Cathedral", "Bonn", "Düsseldorf", "Berlin"]),
            ]
            for (radius, names) in expected {
                let query = EventQuery(area: EventQuery.Area(center: cologne, radiusKilometres: radius))
                #expect(try await titles(query, fixture) == names, "\(radius) km")
                #expect(try await fixture.stores.events.events(query).total == Total(count: names.count))
            }
        },
        ConformanceCase("A corner of the square around the circle is not within the radius") { fixture in
            // 0.25° is about 27.8 km in either direction, 39.3 km along the diagonal.
            try await fixture.add(Samples.event("corner", at: Coordinates(latitude: 0.25, longitude: 0.25)))
            try await fixture.add(Samples.event("side", at: Coordinates(latitude: 0.25, longitude: 0)))
            let area = EventQuery.Area(center: Coordinates(latitude: 0, longitude: 0), radiusKilometres: 30)
            #expect(try await titles(EventQuery(area: area), fixture) == ["side"])
        },
        ConformanceCase("Nearness reaches across the date line and over the pole") { fixture in
            try await fixture.add(Samples.event("west", at: Coordinates(latitude: 0, longitude: 179.9)))
            try await fixture.add(Samples.event("east", at: Coordinates(latitude: 0, longitude: -179.8)))
            try await fixture.add(Samples.event("polar", at: Coordinates(latitude: 89.9, longitude: -90)))
            let line = EventQuery.Area(center: Coordinates(latitude: 0, longitude: 180), radiusKilometres: 50)
            #expect(try await titles(EventQuery(area: line), fixture) == ["west", "east"])
            let pole = EventQuery.Area(center: Coordinates(latitude: 89.9, longitude: 90), radiusKilometres: 50)
            #expect(try await titles(EventQuery(area: pole), fixture) == ["polar"])
        },
        ConformanceCase("An event that moved, or lost its place, is not found where it was") { fixture in
            let events = fixture.stores.events
            let event = try await fixture.add(Samples.event("Tour", at: cologne))
            let here = EventQuery(area: EventQuery.Area(center: cologne, radiusKilometres: 10))
            let berlin = Coordinates(latitude: 52.52, longitude: 13.405)
            let moved = Samples.edited(event) { $0.coordinates = berlin }
            try await events.update(moved, expecting: 1, change: Samples.change(.updated, moved))
            #expect(try await titles(here, fixture).isEmpty)
            let there = EventQuery(area: EventQuery.Area(center: berlin, radiusKilometres: 10))
            #expect(try await titles(there, fixture) == ["Tour"])
            let lost = Samples.edited(moved) { $0.coordinates = nil }
            try await events.update(lost, expecting: 2, change: Samples.change(.updated, lost))
            #expect(try await titles(there, fixture).isEmpty)
            let back = Samples.edited(lost) { $0.coordinates = cologne }
            try await events.update(back, expecting: 3, change: Samples.change(.updated, back))
            #expect(try await titles(here, fixture) == ["Tour"])
        },
        ConformanceCase("Text and place together find what meets both, in either order") { fixture in
            try await fixture.add(Samples.event("jazz far", start: 1, at: Coordinates(latitude: 50.7374, longitude: 7.0982)))
            try await fixture.add(Samples.event("jazz near", start: 2, at: cologne))
            try await fixture.add(Samples.event("rock near", start: 3, at: cologne))
            try await fixture.add(Samples.event("jazz nowhere", start: 4))
            let area = EventQuery.Area(center: cologne, radiusKilometres: 40)
            #expect(try await titles(EventQuery(text: "jazz", area: area, sort: .distance), fixture) == ["jazz near", "jazz far"])
            #expect(try await titles(EventQuery(text: "jazz", area: area, sort: .startTime), fixture) == ["jazz far", "jazz near"])
            #expect(try await titles(EventQuery(status: .canceled, area: area), fixture).isEmpty)
        },
    ]

    private static func titles(_ query: EventQuery, _ fixture: StoreFixture) async throws -> [String] {
        try await fixture.stores.events.events(query).events.map(\.title)
    }
}
