// Holds the namespaces of a pod: waits, ends when told, and reaps what its parent has left.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void end(int signal) { _exit(0); }

static void reap(int signal) {
    while (waitpid(-1, 0, WNOHANG) > 0) {}
}

int main(void) {
    signal(SIGTERM, end);
    signal(SIGINT, end);
    signal(SIGCHLD, reap);
    for (;;) pause();
}
