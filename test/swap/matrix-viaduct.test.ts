import { testMatrix } from './matrix.ts';

testMatrix('Viaduct');
