// Opens the window on the real core.
import { createApp } from 'vue';
import App from './App.vue';
import { FLOW, createFlow } from './flow';
import { tauriHost } from './host/tauri';
import './style.css';

const flow = createFlow(tauriHost);
createApp(App).provide(FLOW, flow).mount('#app');
void flow.start();
