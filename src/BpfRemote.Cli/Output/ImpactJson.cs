using System.Text.Json;
using BpfRemote.V1;

namespace BpfRemote.Cli.Output;

/// <summary>Writes what a scan took from the node; times in microseconds.</summary>
internal static class ImpactJson
{
    public static void Write(Utf8JsonWriter json, ScanImpact impact)
    {
        json.WriteStartObject();
        MapJson.WriteIdentity(json, impact.Map);
        json.WriteNumber("entries", impact.Cost.Entries);
        json.WriteNumber("duration_us", (long)impact.Duration.TotalMicroseconds);
        json.WriteNumber("native_calls", impact.Cost.NativeCalls);
        json.WriteNumber("kernel_time_us", (long)impact.KernelTime.TotalMicroseconds);
        json.WriteNumber("longest_call_us", (long)impact.LongestCall.TotalMicroseconds);
        json.WriteNumber("pace_wait_us", (long)(impact.Cost.PaceWaitTime?.ToTimeSpan() ?? TimeSpan.Zero).TotalMicroseconds);
        json.WriteNumber("cpu_share", Math.Round(impact.CpuShare, 4));
        json.WriteNumber("programs_watched", impact.ProgramsWatched);
        json.WriteStartArray("missed");
        foreach ((ProgramReference program, ulong misses) in impact.Missed)
        {
            json.WriteStartObject();
            json.WriteNumber("id", program.Id);
            json.WriteString("type", program.Type);
            json.WriteString("name", program.Name);
            json.WriteNumber("misses", misses);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
