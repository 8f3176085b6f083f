using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using BpfRemote.Cli.Entries;
using BpfRemote.Cli.Output;
using BpfRemote.V1;

namespace BpfRemote.Cli.Tests;

/// <summary>Formats against text that bpftool 7.1 printed for real maps.</summary>
public sealed class EntryWriterTests
{
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly Layout U32ToU64 = new() { KeySize = 4, ValueSize = 8, ValueStride = 8, ValueKind = ValueKind.Raw };

    private static readonly Layout PerCpu = new()
    {
        KeySize = 3,
        ValueSize = 5,
        ValueStride = 16,
        ValueKind = ValueKind.PerCpu,
        PossibleCpuIds = { 0, 1 },
    };

    // Five bytes of each CPU, and padding that is not zero.
    private static readonly byte[] TwoCpus = [1, 2, 3, 4, 5, 0xee, 0xee, 0xee, 6, 7, 8, 9, 10, 0xee, 0xee, 0xee];

    [Fact]
    public void Json_is_what_bpftool_prints()
    {
        string text = Write(Json, new(), U32ToU64, ([2, 0, 0, 0], [0xff, 0xfe, 0, 1, 2, 0xa0, 0xb, 0xc]), ([1, 0, 0, 0], [1, 2, 3, 4, 5, 6, 7, 8]));
        Assert.Equal(
            """
            [{"key":["0x02","0x00","0x00","0x00"],"value":["0xff","0xfe","0x00","0x01","0x02","0xa0","0x0b","0x0c"]},{"key":["0x01","0x00","0x00","0x00"],"value":["0x01","0x02","0x03","0x04","0x05","0x06","0x07","0x08"]}]

            """,
            text);
    }

    [Fact]
    public void Json_of_per_cpu_values_is_what_bpftool_prints() => Assert.Equal(
        """
        [{"key":["0x01","0x02","0x03"],"values":[{"cpu":0,"value":["0x01","0x02","0x03","0x04","0x05"]},{"cpu":1,"value":["0x06","0x07","0x08","0x09","0x0a"]}]}]

        """,
        Write(Json, new(), PerCpu, ([1, 2, 3], TwoCpus)));

    [Fact]
    public void Blocks_of_values_carry_the_ids_of_their_cpus()
    {
        Layout layout = PerCpu.Clone();
        layout.PossibleCpuIds[1] = 8;
        Assert.Contains("{\"cpu\":8,\"value\":[\"0x06\"", Write(Json, new(), layout, ([1, 2, 3], TwoCpus)), StringComparison.Ordinal);
    }

    [Fact]
    public void Json_of_refused_values_is_what_bpftool_prints()
    {
        Layout layout = new() { KeySize = 4, ValueSize = 4, ValueError = "ENOTSUPP" };
        Assert.Equal(
            """
            [{"key":["0x00","0x00","0x00","0x00"],"value":{"error":"Unknown error 524"}},{"key":["0x01","0x00","0x00","0x00"],"value":{"error":"Unknown error 524"}}]

            """,
            Write(Json, new(), layout, ([0, 0, 0, 0], []), ([1, 0, 0, 0], [])));
    }

    [Fact]
    public void Json_fills_in_the_indexes_that_bpftool_reports_as_empty()
    {
        Layout layout = new() { KeySize = 4, ValueSize = 4, ValueStride = 4, ValueKind = ValueKind.Devmap };
        Map map = new() { Type = MapType.Devmap, MaxEntries = 3 };
        const string complete =
            """
            [{"key":["0x00","0x00","0x00","0x00"],"value":{"error":"No such file or directory"}},{"key":["0x01","0x00","0x00","0x00"],"value":["0x01","0x00","0x00","0x00"]},{"key":["0x02","0x00","0x00","0x00"],"value":{"error":"No such file or directory"}}]

            """;
        Assert.Equal(complete, Write(Json, map, layout, ([1, 0, 0, 0], [1, 0, 0, 0])));

        // Which indexes a resumed dump passed over is not known.
        string resumed = Write(
            output => new JsonEntryWriter(output, JsonStyle.Compact, severalMaps: false, resumed: true), map, layout, ([1, 0, 0, 0], [1, 0, 0, 0]));
        Assert.DoesNotContain("error", resumed, StringComparison.Ordinal);
    }

    [Fact]
    public void Json_of_several_maps_is_what_bpftool_prints()
    {
        using MemoryStream stream = new();
        OutputBuffer output = new(stream);
        JsonEntryWriter writer = new(output, JsonStyle.Compact, severalMaps: true, resumed: false);
        foreach (uint id in (uint[])[7, 8])
        {
            writer.BeginMap(new() { Id = id, TypeName = "hash", Name = "twin", Flags = 1 }, new() { KeySize = 1, ValueStride = 1 }, schema: null);
            writer.WriteEntry([1], [2]);
            writer.EndMap(complete: true);
        }

        writer.Close();
        output.Flush();
        Assert.Equal(
            """
            [{"id":7,"type":"hash","name":"twin","flags":1,"elements":[{"key":["0x01"],"value":["0x02"]}]},{"id":8,"type":"hash","name":"twin","flags":1,"elements":[{"key":["0x01"],"value":["0x02"]}]}]

            """,
            Encoding.UTF8.GetString(stream.ToArray()));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Indented_json_says_the_same(bool severalMaps)
    {
        Map map = new() { Id = 7, TypeName = "34", Name = "a\"b" };
        string compact = Write(output => new JsonEntryWriter(output, JsonStyle.Compact, severalMaps, resumed: false), map, PerCpu, ([1, 2, 3], TwoCpus));
        string pretty = Write(output => new JsonEntryWriter(output, JsonStyle.Pretty, severalMaps, resumed: false), map, PerCpu, ([1, 2, 3], TwoCpus));
        using JsonDocument document = JsonDocument.Parse(pretty);
        Assert.Equal(compact, JsonSerializer.Serialize(document, Relaxed) + "\n");
    }

    [Fact]
    public void Indented_json_is_made_for_reading() => Assert.Equal(
        """
        [
            {
                "key": ["0x01","0x02","0x03"],
                "values": [
                    {"cpu": 0, "value": ["0x01","0x02","0x03","0x04","0x05"]},
                    {"cpu": 1, "value": ["0x06","0x07","0x08","0x09","0x0a"]}
                ]
            }
        ]

        """,
        Write(output => new JsonEntryWriter(output, JsonStyle.Pretty, severalMaps: false, resumed: false), new(), PerCpu, ([1, 2, 3], TwoCpus)));

    [Theory]
    [InlineData(false, 0, """{"error":"it \"broke\""}""")]
    [InlineData(false, 1, """[{"error":"it \"broke\""}]""")]
    [InlineData(false, 2, """[{"key":["0x01"],"value":["0x02"]},{"error":"it \"broke\""}]""")]
    [InlineData(true, 0, """{"error":"it \"broke\""}""")]
    [InlineData(true, 2, """[{"id":7,"type":"hash","flags":0,"elements":[{"key":["0x01"],"value":["0x02"]},{"error":"it \"broke\""}]}]""")]
    [InlineData(true, 3, """[{"id":7,"type":"hash","flags":0,"elements":[{"key":["0x01"],"value":["0x02"]}]},{"error":"it \"broke\""}]""")]
    public void Json_of_a_failed_dump_ends_with_an_error_object(bool severalMaps, int steps, string expected)
    {
        using MemoryStream stream = new();
        OutputBuffer output = new(stream);
        JsonEntryWriter writer = new(output, JsonStyle.Compact, severalMaps, resumed: false);
        Action[] all =
        [
            () => writer.BeginMap(new() { Id = 7, TypeName = "hash" }, new() { KeySize = 1, ValueStride = 1 }, schema: null),
            () => writer.WriteEntry([1], [2]),
            () => writer.EndMap(complete: true),
        ];
        foreach (Action step in all.Take(steps))
        {
            step();
        }

        Assert.True(writer.Fail("it \"broke\""));
        output.Flush();
        Assert.Equal(expected + "\n", Encoding.UTF8.GetString(stream.ToArray()));
    }

    [Fact]
    public void An_empty_map_is_an_empty_array() => Assert.Equal("[]\n", Write(Json, new(), U32ToU64));

    [Fact]
    public void Ndjson_is_an_entry_a_line() => Assert.Equal(
        """
        {"key":["0x01"],"value":["0x02"]}
        {"key":["0x03"],"value":["0x04"]}

        """,
        Write(
            static output => new JsonLinesEntryWriter(output, JsonStyle.Compact), new(), new() { KeySize = 1, ValueStride = 1 },
            ([1], [2]), ([3], [4])));

    [Fact]
    public void Csv_has_a_column_for_each_cpu()
    {
        Assert.Equal(
            "key,cpu0,cpu1\n0x010203,0x0102030405,0x060708090a\n",
            Write(static output => new CsvEntryWriter(output, rawValues: false), new(), PerCpu, ([1, 2, 3], TwoCpus)));
        Assert.Equal(
            "key,value\n0x01000000,0x0102030405060708\n",
            Write(static output => new CsvEntryWriter(output, rawValues: false), new(), U32ToU64, ([1, 0, 0, 0], [1, 2, 3, 4, 5, 6, 7, 8])));
        Assert.Equal(
            "key,error\n0x01,EOPNOTSUPP\n",
            Write(static output => new CsvEntryWriter(output, rawValues: false), new(), new() { KeySize = 1, ValueError = "EOPNOTSUPP" }, ([1], [])));
    }

    [Fact]
    public void Raw_is_the_bytes_as_they_came()
    {
        byte[] key = [1, 2, 3];
        using MemoryStream stream = new();
        OutputBuffer output = new(stream);
        RawEntryWriter writer = new(output);
        writer.BeginMap(new(), PerCpu, schema: null);
        writer.WriteEntry(key, TwoCpus);
        writer.WriteEntry(key, TwoCpus);
        output.Flush();
        Assert.Equal([.. key, .. TwoCpus, .. key, .. TwoCpus], stream.ToArray());
    }

    [Fact]
    public void Small_entries_are_rows_with_numbers() => Assert.Equal(
        """
        KEY (HEX)    NUMBER  VALUE (HEX)              NUMBER
        01 00 00 00       1  01 02 00 00 00 00 00 00     513

        """,
        Write(Table, new(), U32ToU64, ([1, 0, 0, 0], [1, 2, 0, 0, 0, 0, 0, 0])));

    [Fact]
    public void Numbers_follow_the_nodes_byte_order()
    {
        Layout layout = U32ToU64.Clone();
        layout.ByteOrder = ByteOrder.BigEndian;
        Assert.EndsWith(
            "00 00 00 01       1  00 00 00 00 00 00 02 01     513\n",
            Write(Table, new(), layout, ([0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 2, 1])),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Per_cpu_entries_are_a_row_for_each_cpu() => Assert.Equal(
        """
        KEY (HEX)  TEXT  CPU  VALUE (HEX)     TEXT
        61 62 63   abc     0  01 02 03 04 05  .....
                           1  06 07 08 09 0a  .....

        """,
        Write(Table, new(), PerCpu, ("abc"u8.ToArray(), TwoCpus)));

    [Fact]
    public void Values_of_known_meaning_say_what_they_are() => Assert.Equal(
        """
        KEY (HEX)    NUMBER  VALUE (HEX)              INTERFACE
        01 00 00 00       1  02 00 00 00 07 00 00 00  2 program 7

        """,
        Write(
            Table, new(), new() { KeySize = 4, ValueSize = 8, ValueStride = 8, ValueKind = ValueKind.Devmap },
            ([1, 0, 0, 0], [2, 0, 0, 0, 7, 0, 0, 0])));

    [Fact]
    public void Rows_fit_80_columns_or_are_hex_dumps()
    {
        Layout counters = new() { KeySize = 8, ValueSize = 8, ValueStride = 16, ValueKind = ValueKind.PerCpu, PossibleCpuIds = { 0, 1 } };
        Assert.Equal(
            """
            KEY (HEX)                NUMBER  CPU  VALUE (HEX)              NUMBER
            07 00 00 00 00 00 00 00       7    0  01 02 00 00 00 00 00 00     513
                                               1  00 00 00 00 00 00 00 00       0

            """,
            Write(Narrow, new(), counters, ([7, 0, 0, 0, 0, 0, 0, 0], [1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])));

        Layout wide = new() { KeySize = 16, ValueSize = 16, ValueStride = 16 };
        Assert.StartsWith("key   0000  00 00", Write(Narrow, new(), wide, (new byte[16], new byte[16])), StringComparison.Ordinal);
        Assert.StartsWith("KEY (HEX)  ", Write(Table, new(), wide, (new byte[16], new byte[16])), StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_map_has_a_header() =>
        Assert.Equal("KEY (HEX)  NUMBER  VALUE (HEX)  NUMBER\n", Write(Table, new(), new() { KeySize = 4, ValueStride = 4 }));

    [Fact]
    public void Values_that_the_kernel_refuses_say_so() => Assert.Equal(
        """
        KEY (HEX)    NUMBER  VALUE
        01 00 00 00       1  <the kernel gives no value: ENOTSUPP>

        """,
        Write(Table, new(), new() { KeySize = 4, ValueError = "ENOTSUPP" }, ([1, 0, 0, 0], [])));

    [Fact]
    public void Stack_traces_are_addresses()
    {
        Layout layout = new() { KeySize = 4, ValueSize = 24, ValueStride = 24, ValueKind = ValueKind.Stack };
        byte[] stack = [0x10, 0x20, 0x30, 0x81, 0xff, 0xff, 0xff, 0xff, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        Assert.Equal(
            """
            key = 513
                0xffffffff81302010
                0x0000000000000020

            key = 2

            """,
            Write(Table, new(), layout, ([1, 2, 0, 0], stack), ([2, 0, 0, 0], new byte[24])));
        Assert.StartsWith("key   0000", Write(Table, new() { Flags = 1 << 5 }, layout, ([1, 2, 0, 0], stack)), StringComparison.Ordinal);
    }

    [Fact]
    public void Large_entries_are_hex_dumps_within_80_columns()
    {
        byte[] value = [.. Enumerable.Range(0x41, 20).Select(static i => (byte)i)];
        string text = Write(Table, new(), new() { KeySize = 1, ValueStride = 20 }, ([1], value), ([2], value));
        Assert.Equal(
            """
            key   0000  01                                                |.|
            value 0000  41 42 43 44 45 46 47 48  49 4a 4b 4c 4d 4e 4f 50  |ABCDEFGHIJKLMNOP|
                  0010  51 52 53 54                                       |QRST|

            key   0000  02                                                |.|
            value 0000  41 42 43 44 45 46 47 48  49 4a 4b 4c 4d 4e 4f 50  |ABCDEFGHIJKLMNOP|
                  0010  51 52 53 54                                       |QRST|

            """,
            text);
        Assert.All(text.Split('\n'), static line => Assert.InRange(line.Length, 0, 80));
    }

    [Fact]
    public void A_value_larger_than_the_buffer_is_written_whole()
    {
        byte[] value = new byte[1 << 20];
        Random.Shared.NextBytes(value);
        Layout layout = new() { KeySize = 1, ValueStride = (uint)value.Length };

        using JsonDocument json = JsonDocument.Parse(Write(Json, new(), layout, ([1], value)));
        Assert.Equal(value, json.RootElement[0].GetProperty("value").EnumerateArray().Select(static b => Convert.ToByte(b.GetString(), 16)));

        string csv = Write(static output => new CsvEntryWriter(output, rawValues: false), new(), layout, ([1], value));
        Assert.Equal($"key,value\n0x01,0x{Convert.ToHexStringLower(value)}\n", csv);
    }

    private static JsonEntryWriter Json(OutputBuffer output) => new(output, JsonStyle.Compact, severalMaps: false, resumed: false);

    private static TableEntryWriter Table(OutputBuffer output) => new(output, severalMaps: false, new() { Width = int.MaxValue, Colour = false });

    private static TableEntryWriter Narrow(OutputBuffer output) => new(output, severalMaps: false, new() { Width = 80, Colour = false });

    private static string Write(
        Func<OutputBuffer, EntryWriter> create, Map map, Layout layout, params ReadOnlySpan<(byte[] Key, byte[] Value)> entries)
    {
        using MemoryStream stream = new();
        OutputBuffer output = new(stream);
        EntryWriter writer = create(output);
        writer.BeginMap(map, layout, schema: null);
        foreach ((byte[] key, byte[] value) in entries)
        {
            writer.WriteEntry(key, value);
        }

        writer.EndMap(complete: true);
        writer.Close();
        output.Flush();
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
