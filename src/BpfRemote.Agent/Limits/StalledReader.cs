using Microsoft.AspNetCore.Connections.Features;

namespace BpfRemote.Agent.Limits;

/// <summary>A client that does not take what it asked for within the time that one write may take.</summary>
internal static class StalledReader
{
    /// <summary>Ends its connection, and with it every call on it: whoever leaves one answer in the agent's memory leaves more.</summary>
    public static void Evict(HttpContext context)
    {
        context.RequestServices.GetRequiredService<MemoryRelease>().Expect();
        if (context.Features.Get<IConnectionLifetimeFeature>() is { } connection)
        {
            connection.Abort();
        }
        else
        {
            context.Abort();
        }
    }

    /// <summary>Middleware: gives what a call has answered the time of one write to leave, once the call is over. The server itself
    /// would keep it for as long as the client's window stays closed.</summary>
    public static Func<HttpContext, RequestDelegate, Task> Watch(AgentLimits limits, TimeProvider time) => async (context, next) =>
    {
        await next(context);
        if (!context.Response.HasStarted)
        {
            return; // only headers, which no window holds up; a status that is to be all there is must stay one frame
        }

        using CancellationTokenSource stalled = new(limits.WriteTimeout, time);
        try
        {
            await context.Response.BodyWriter.FlushAsync(stalled.Token);
        }
        catch (OperationCanceledException) when (stalled.IsCancellationRequested)
        {
            Evict(context);
        }
    };
}
